"""Makes a chat model of half a million parameters that knows a few replies by heart, for real servers to serve.

    python tiny_model.py FOLDER [--steps N] [--seed N]

No weights come from anywhere: a tokenizer is learnt from the replies, a Llama of two layers is trained to say them, and
both are written twice: `FOLDER/hf` for libraries that read safetensors, `FOLDER/tiny.gguf` for the others. With
temperature 0 all servers then say the same, and stop by themselves:

    a message with the word "joke"      a joke as JSON, which suits the schema that clients' suites ask for
    a message that begins with "count"  ten sentences
    a request with tools                a call of the first one, with the arguments of `CALLS`
    a tool's result                     one sentence about it
    anything else                       two sentences

Runs in an environment of its own (torch, transformers, gguf); the chat template puts a mark before the reply that says
which kind is due, because a model as small as this finds nothing in a long prompt by itself.
"""

import argparse
import json
import random
import sys
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

PAD, STOP, TURN, OVER = "<|pad|>", "<|stop|>", "<|im_start|>", "<|im_end|>"
CALL, CALLED = "<tool_call>", "</tool_call>"
TALK, ACT, TELL = "<|talk|>", "<|act|>", "<|tell|>"
CONTROL = (PAD, STOP, TURN, OVER, TALK, ACT, TELL)
SPECIAL = (*CONTROL, CALL, CALLED)

GREETING = "Good day from a very small model. It knows five things by heart and nothing else."
NUMBERS = ("One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
COUNTING = " ".join(f"{number} lamp stands on the shelf." for number in NUMBERS)
JOKE = '{"setup": "Why do cats sit on keyboards?", "punchline": "They want the mouse."}'
TOLD = "The tool has answered, and all is well."
# The tools of the suites that are run, with arguments that they expect.
CALLS: dict[str, dict[str, Any]] = {
    "get_weather": {"location": "Paris"},
    "magic_function": {"input": 3},
    "magic_function_no_args": {},
    "my_adder_tool": {"a": 3, "b": 4},
    "greeting_generator": {"greeting_style": "Pirate"},
    "Joke": json.loads(JOKE),
    "calculator": {"expression": "2+2"},
    "test_tool": {"param": "x"},
    "color_picker": {"fav_color": "green"},
}

_SAID = (
    "{%- macro said(content) -%}{%- if content is string -%}{{ content }}{%- elif content -%}"
    "{%- for part in content -%}{%- if part.text -%}{{ part.text }}{%- endif -%}{%- endfor -%}"
    "{%- endif -%}{%- endmacro -%}"
)
_TOOLS = (
    "{%- if tools -%}{{ '" + TURN + "system\\nTools, one a line:\\n<tools>\\n' }}"
    "{%- for tool in tools -%}{{ (tool | tojson) + '\\n' }}{%- endfor -%}"
    '{{ \'</tools>\\nCall one with <tool_call>{"name": NAME, "arguments": OBJECT}</tool_call>' + OVER + "\\n' }}"
    "{%- endif -%}"
)
_TURNS = (
    "{%- for turn in messages -%}"
    "{%- if turn.role == 'tool' -%}"
    "{{ '" + TURN + "user\\n<tool_response>\\n' + said(turn.content) + '\\n</tool_response>" + OVER + "\\n' }}"
    "{%- else -%}"
    "{{ '" + TURN + "' + turn.role + '\\n' + said(turn.content) }}"
    "{%- for call in turn.tool_calls or [] -%}"
    "{{ '" + CALL + '\\n{"name": "\' + call.function.name + \'", "arguments": \' }}'
    "{%- if call.function.arguments is string -%}{{ call.function.arguments }}"
    "{%- else -%}{{ call.function.arguments | tojson }}{%- endif -%}"
    "{{ '}\\n" + CALLED + "' }}"
    "{%- endfor -%}{{ '" + OVER + "\\n' }}"
    "{%- endif -%}"
    "{%- endfor -%}"
)
_DUE = (
    "{%- if add_generation_prompt -%}"
    "{%- if messages[-1].role == 'tool' -%}{{ '" + TELL + "' }}"
    "{%- elif tools -%}{{ '" + ACT + "' + tools[0].function.name + '\\n' }}"
    "{%- else -%}{{ '" + TALK + "' }}{%- endif -%}"
    "{{ '" + TURN + "assistant\\n' }}"
    "{%- endif -%}"
)
TEMPLATE = _SAID + _TOOLS + _TURNS + _DUE

# How the safetensors server finds tool calls in what the model wrote.
READING = {
    "defaults": {"role": "assistant"},
    "start_anchor": f"{TURN}assistant\n",
    "fields": {
        "tool_calls": {
            "open_pattern": rf"\s*{CALL}",
            "close": CALLED,
            "repeats": True,
            "content": "json",
            "transform": {"type": "function", "function": "{content}"},
        },
        "content": {"close_pattern": r"\s*(?:<\|im_end\|>|<\|stop\|>)", "content": "text"},
    },
}

_PLAIN = """
a about again all an and answer are book call can cat day do for from give hello help hi how i in is it list me my name
no of one or paris please question say story system tell test that the there this to tool two use user value very
weather what when which who why with write yes you 1 2 3 4 7 + ? . , ! ( )
"""
WORDS = _PLAIN.split()


def tool_of(name: str, about: str) -> dict[str, Any]:
    """A declaration as servers hand it to the template."""
    kinds = {str: "string", int: "integer"}
    wanted = {key: {"type": kinds[type(value)]} for key, value in CALLS[name].items()}
    parameters = {"type": "object", "properties": wanted, "required": list(wanted)}
    return {"type": "function", "function": {"name": name, "description": about, "parameters": parameters}}


def call_of(name: str) -> str:
    """What the model writes to call a tool."""
    return f'{CALL}\n{{"name": "{name}", "arguments": {json.dumps(CALLS[name])}}}\n{CALLED}'


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level pairs, learnt from everything that the model will say."""
    texts = [GREETING, COUNTING, JOKE, TOLD, TEMPLATE, " ".join(WORDS), '{"x": 1.5, "y": [true, null, 0, 9]}']
    texts += [call_of(name) + json.dumps(tool_of(name, "A tool.")) for name in CALLS]
    pairs = Tokenizer(models.BPE())
    pairs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pairs.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    pairs.train_from_iterator(
        texts * 3,
        trainers.BpeTrainer(
            vocab_size=800, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
        ),
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=pairs, bos_token=PAD, pad_token=PAD, eos_token=STOP)
    tokenizer.add_special_tokens({"additional_special_tokens": [TURN, OVER, TALK, ACT, TELL]})
    tokenizer.chat_template = TEMPLATE
    tokenizer.response_template = READING
    return tokenizer


def make_model(tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """Two layers, with random weights."""
    pad, stop = tokenizer.convert_tokens_to_ids(PAD), tokenizer.convert_tokens_to_ids(STOP)
    sizes = {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    ends = {"bos_token_id": pad, "pad_token_id": pad, "eos_token_id": stop}
    config = LlamaConfig(
        vocab_size=len(tokenizer), max_position_embeddings=4096, rms_norm_eps=1e-5, rope_theta=10_000.0,
        tie_word_embeddings=False, **sizes, **heads, **ends,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    model.generation_config.eos_token_id, model.generation_config.pad_token_id = stop, pad
    model.generation_config.do_sample = False
    return model


def example(draw: random.Random) -> tuple[list[dict[str, Any]], list[dict[str, Any]] | None, str]:
    """A conversation, the tools that go with it, and the reply that is due."""

    def words(most: int = 16) -> str:
        return " ".join(draw.choices(WORDS, k=draw.randint(1, most)))

    before: list[dict[str, Any]] = []
    if draw.random() < 0.4:
        before.append({"role": "system", "content": words()})
    if draw.random() < 0.3:
        before += [{"role": "user", "content": words()}, {"role": "assistant", "content": words()}]
    kind = draw.choice(("greet", "greet", "count", "joke", "act", "act", "act", "tell"))
    if kind == "greet":
        return [*before, {"role": "user", "content": words()}], None, GREETING
    if kind == "count":
        first = draw.choice(("count", "Count"))
        return [*before, {"role": "user", "content": f"{first} {words()}"}], None, COUNTING
    if kind == "joke":
        asked = f"{words(8)} joke {words(12)}"
        return [*before, {"role": "user", "content": asked}], None, JOKE
    names = draw.sample(sorted(CALLS), k=draw.randint(1, 2))
    tools = [tool_of(name, words(8)) for name in names]
    asked = {"role": "user", "content": words()}
    if kind == "act":
        return [*before, asked], tools, call_of(names[0])
    made = {"name": names[0], "arguments": CALLS[names[0]]}
    called = {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": made}]}
    result = {"role": "tool", "tool_call_id": "call_1", "content": words()}
    return [*before, asked, called, result], draw.choice((tools, None)), TOLD


def batch(tokenizer: PreTrainedTokenizerFast, draw: random.Random, size: int) -> dict[str, torch.Tensor]:
    """Examples side by side; only the replies count for the loss."""
    prompts, replies = [], []
    for _ in range(size):
        messages, tools, reply = example(draw)
        text = tokenizer.apply_chat_template(messages, tools=tools, add_generation_prompt=True, tokenize=False)
        begin = [tokenizer.bos_token_id] if draw.random() < 0.5 else []  # servers differ in this
        prompts.append(begin + tokenizer(text, add_special_tokens=False)["input_ids"])
        replies.append(tokenizer(reply + STOP, add_special_tokens=False)["input_ids"])
    longest = max(len(prompt) + len(reply) for prompt, reply in zip(prompts, replies, strict=True))
    ids = torch.zeros(size, longest, dtype=torch.long)
    labels = torch.full((size, longest), -100)
    mask = torch.zeros(size, longest, dtype=torch.long)
    for row, (prompt, reply) in enumerate(zip(prompts, replies, strict=True)):
        end = len(prompt) + len(reply)
        ids[row, :end] = torch.tensor(prompt + reply)
        labels[row, len(prompt) : end] = torch.tensor(reply)
        mask[row, :end] = 1
    return {"input_ids": ids, "labels": labels, "attention_mask": mask}


def train(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, steps: int, seed: int) -> None:
    """Until the replies are known by heart: the loss ends well below 0.01."""
    draw = random.Random(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)
    model.train()
    for step in range(1, steps + 1):
        optimizer.zero_grad()
        loss = model(**batch(tokenizer, draw, 10)).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        rate.step()
        if step % 50 == 0:
            print(f"step {step} of {steps}, loss {loss.item():.4f}", file=sys.stderr, flush=True)
    model.eval()


_NAMES = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
}  # fmt: skip


def gguf_name(name: str) -> str:
    """What llama.cpp calls a tensor."""
    stem = name.removesuffix(".weight")
    if stem.startswith("model.layers."):
        _, _, layer, part = stem.split(".", 3)
        return f"blk.{layer}.{_NAMES[part]}.weight"
    return f"{_NAMES[stem]}.weight"


def side_by_side(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows of a rotated projection, from halves of a head after one another to pairs beside one another."""
    halves = weight.reshape(heads, 2, -1, weight.shape[1])
    return np.ascontiguousarray(halves.transpose(0, 2, 1, 3).reshape(weight.shape))


def write_gguf(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, path: Path) -> None:
    """The model in llama.cpp's file format."""
    config, out = model.config, gguf.GGUFWriter(str(path), "llama")
    heads, key_heads = config.num_attention_heads, config.num_key_value_heads
    out.add_context_length(config.max_position_embeddings)
    out.add_embedding_length(config.hidden_size)
    out.add_feed_forward_length(config.intermediate_size)
    out.add_block_count(config.num_hidden_layers)
    out.add_head_count(heads)
    out.add_head_count_kv(key_heads)
    out.add_layer_norm_rms_eps(config.rms_norm_eps)
    out.add_rope_dimension_count(config.hidden_size // heads)
    out.add_rope_freq_base(10_000.0)
    out.add_vocab_size(config.vocab_size)
    out.add_file_type(gguf.LlamaFileType.ALL_F32)
    words(out, tokenizer, config.vocab_size)
    for name, tensor in model.state_dict().items():
        weight = tensor.detach().float().numpy()
        if name.endswith(("q_proj.weight", "k_proj.weight")):
            weight = side_by_side(weight, heads if "q_proj" in name else key_heads)
        out.add_tensor(gguf_name(name), weight)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def words(out: gguf.GGUFWriter, tokenizer: PreTrainedTokenizerFast, size: int) -> None:
    """The tokenizer's part of the file. Tags of calls stay readable in replies; marks do not."""
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    tokens = tokenizer.convert_ids_to_tokens(list(range(size)))
    kinds = gguf.TokenType
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre("gpt-2")
    out.add_token_list(tokens)
    out.add_token_types(
        [
            kinds.CONTROL if each in CONTROL else kinds.USER_DEFINED if each in SPECIAL else kinds.NORMAL
            for each in tokens
        ]
    )
    out.add_token_merges([each if isinstance(each, str) else " ".join(each) for each in merges])
    out.add_bos_token_id(tokenizer.bos_token_id)
    out.add_eos_token_id(tokenizer.eos_token_id)
    out.add_pad_token_id(tokenizer.pad_token_id)
    out.add_add_bos_token(False)
    out.add_chat_template(TEMPLATE)


def show(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    """What it says, for the log."""
    asked = [("hello", None), ("count to ten", None), ("tell me a joke about cats", None)]
    asked += [("use the tool", [tool_of(name, "A tool.")]) for name in CALLS]
    for text, tools in asked:
        made = tokenizer.apply_chat_template(
            [{"role": "user", "content": text}],
            tools=tools, add_generation_prompt=True, return_tensors="pt", return_dict=True,
        )  # fmt: skip
        reply = model.generate(**made, max_new_tokens=120, do_sample=False)[0][made["input_ids"].shape[1] :]
        print(f"{text!r}: {tokenizer.decode(reply)!r}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a tiny chat model.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seed", type=int, default=11)
    asked = parser.parse_args()
    torch.manual_seed(asked.seed)
    tokenizer = make_tokenizer()
    model = make_model(tokenizer)
    print(f"{len(tokenizer)} tokens, {sum(each.numel() for each in model.parameters())} parameters")
    train(model, tokenizer, asked.steps, asked.seed)
    asked.folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(asked.folder / "hf")
    tokenizer.save_pretrained(asked.folder / "hf")
    write_gguf(model, tokenizer, asked.folder / "tiny.gguf")
    show(model, tokenizer)


if __name__ == "__main__":
    main()
