"""scikit-learn's own checks of an estimator."""

from __future__ import annotations

from collections.abc import Callable

from sklearn.utils.estimator_checks import parametrize_with_checks

from synthgan import SynthGAN


@parametrize_with_checks([SynthGAN(epochs=1, hidden_dim=16, batch_size=64)])
def test_scikit_learns_estimator_checks(estimator: SynthGAN, check: Callable[[SynthGAN], None]) -> None:
    check(estimator)
