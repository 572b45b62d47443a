"""The append-only log's arithmetic: canonical records, the Merkle tree, signed checkpoints, and their verifier.

Pure: it reads no clock, no database and no configuration, so that an auditor can run it alone.
"""

from fairlead.audit.bundle import write_export
from fairlead.audit.canonical import NotCanonical, canonical
from fairlead.audit.checkpoint import (
    Checkpoint,
    parse_checkpoint,
    sign_checkpoint,
    verifier_key,
    verifier_name,
    verify_checkpoint,
)
from fairlead.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from fairlead.audit.succession import Ring, ring_of, sign_succession
from fairlead.audit.verify import Verdict, verify_export, verify_records

__all__ = [
    "EMPTY_ROOT",
    "Checkpoint",
    "Frontier",
    "NotCanonical",
    "Ring",
    "Verdict",
    "canonical",
    "consistency_proof",
    "inclusion_proof",
    "leaf_hash",
    "parse_checkpoint",
    "ring_of",
    "sign_checkpoint",
    "sign_succession",
    "verifier_key",
    "verifier_name",
    "verify_checkpoint",
    "verify_consistency",
    "verify_export",
    "verify_inclusion",
    "verify_records",
    "write_export",
]
