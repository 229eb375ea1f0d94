"""Several days scored one after the other, as the tests of detectors have them."""

from ..lotus_detectors.conftest import chain as chain
