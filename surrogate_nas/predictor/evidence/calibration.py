"""Maps scores of arbitrary scale to percent accuracy, without a change of order.

Symbols:
    U: architectures with a score and a label.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from surrogate_nas.errors import SurrogateNasWarning
from surrogate_nas.predictor.protocol import Floats, Prediction

# Slope where accuracy does not rise with the score: predictions are then nearly the mean, still in the score's order.
MINIMUM_SLOPE = 0.01


@dataclass(frozen=True)
class Calibration:
    """Rising line that maps scores to accuracies.

    The accuracy is the labels': with a supernet's labels it is the accuracy of subnets with the supernet's weights, not
    of the same networks after training. Predictions may lie outside 0 to 100, as clipping would make ties.

    Attributes:
        intercept: Accuracy in percent at score 0.
        slope: Percentage points per unit of score, positive.
        residual_percent: Root mean square distance of the labels from the line, in percentage points.
    """

    intercept: float
    slope: float
    residual_percent: float

    def accuracy_percent(self, scores: Floats) -> Floats:
        """Returns accuracies for scores of any shape."""
        return self.intercept + self.slope * scores

    def apply(self, prediction: Prediction) -> Prediction:
        """Returns the prediction in percent accuracy."""
        return Prediction(self.accuracy_percent(prediction.mean), self.slope * prediction.std)


def calibrate(scores: Floats, accuracy_percent: Floats) -> Calibration:
    """Returns the least-squares line through held-out scores and label accuracies, forced to rise.

    Args:
        scores: Shape (U,), of models that did not see the architecture: models fitted to it would be overconfident.
        accuracy_percent: Shape (U,).

    Warns:
        SurrogateNasWarning: If accuracy does not rise with the score, so that nothing was learnt about it, or does not
            vary.
    """
    centred = scores - scores.mean()
    variance = float(np.mean(centred**2))
    slope = float(np.mean(centred * accuracy_percent)) / variance if variance > 0 else 0.0
    spread = float(np.ptp(accuracy_percent))
    least = MINIMUM_SLOPE * min(1.0, spread) or MINIMUM_SLOPE
    if slope < least:
        meaning = (
            "the predictor's scores do not rise with the accuracy of held-out labels"
            f" (least-squares slope {slope:.2g}): its order and its accuracies are no better than chance"
            if spread > 0
            else f"all held-out labels have the accuracy {accuracy_percent[0]:.2f}%, so predicted accuracies say"
            " nothing; label with more images, or train supernets for longer"
        )
        warnings.warn(meaning, SurrogateNasWarning, stacklevel=2)
        slope = least
    intercept = float(np.mean(accuracy_percent) - slope * np.mean(scores))
    residual = accuracy_percent - (intercept + slope * scores)
    return Calibration(intercept, slope, float(np.sqrt(np.mean(residual**2))))
