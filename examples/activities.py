"""The model of `hil demo personal-front`: what people do, by raw readings of a phone.

    pip install tensorflow-cpu       # beside hil, which does not need it; 2.21 was tried
    python examples/activities.py activities.tflite
    hil demo personal-front --front activities.tflite --target host

HIL_DATA must name a folder with hapt/ in it. The model is trained on the first 21 people of
HAPT; the demo adapts to the others, of whom it sees nothing. It is all of 8 bits. The licence of HAPT forbids
any commercial use, and so of what is made of it: the model is yours to make, and not part of this repository.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from hil.data import hapt
from hil.demo.gallery import personal_front

SEED, EPOCHS, BATCH = 1, 20, 32
STEP = 1 / 128
"""Of the model's input, whose 256 steps are -1 to 127 / 128."""


def windows() -> tuple[np.ndarray, np.ndarray]:
    """Windows [n, 128, 6] of the people that the demo knows, in float32, and their labels;
    what the model's input does not hold is cut off, as on the device."""
    data = hapt.load()
    known = data.users <= personal_front.KNOWN
    rows = data.windows[known].reshape(-1, hapt.ROWS, hapt.AXES)
    x = np.clip(rows / personal_front.SCALE, -1, 1 - STEP)
    return x.astype(np.float32), data.labels[known]


def trained(x: np.ndarray, y: np.ndarray):
    """A Keras model of them."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    layers = tf.keras.layers
    made = [tf.keras.Input(x.shape[1:])]
    for channels in (16, 32, 64):
        made += [
            layers.Conv1D(channels, 5, 2, "same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
        ]
    made += [layers.GlobalAveragePooling1D(), layers.Dropout(0.3)]
    model = tf.keras.Sequential([*made, layers.Dense(len(hapt.ACTIVITIES), "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, BATCH, EPOCHS, verbose=2)
    return model


def converted(model, some: np.ndarray) -> bytes:
    """The model in 8 bits, scales taken from `some` windows."""
    import tensorflow as tf

    ends = np.zeros_like(some[:1])
    ends[0, 0, 0], ends[0, 0, 1] = -1, 1 - STEP  # so a step of the input is STEP
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([one[None]] for one in (*ends, *some))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def main(path: str) -> None:
    """Train the model, and write it."""
    x, y = windows()
    made = converted(trained(x, y), x[:: len(x) // 300])
    Path(path).write_bytes(made)
    print(f"wrote {path}: {len(made):,} bytes, trained on {len(x):,} windows")


if __name__ == "__main__":
    main(sys.argv[1])
