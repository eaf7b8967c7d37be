"""The prediction's shapes, and that asking for it costs no torch."""

import re
import subprocess
import sys

import numpy as np
import pytest

from surrogate_nas.predictor.protocol import Prediction


def test_mean_and_spread_of_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=re.escape("(3,) and (2,)")):
        Prediction(np.zeros(3), np.zeros(2))


def test_its_length_is_the_number_of_architectures() -> None:
    assert len(Prediction(np.zeros(3), np.zeros(3))) == 3


def test_importing_protocol_and_settings_does_not_import_torch() -> None:
    program = (
        "import sys, surrogate_nas.predictor.protocol, surrogate_nas.predictor.settings; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
