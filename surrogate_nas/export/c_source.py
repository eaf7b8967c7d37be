"""A model file as C source, for firmware without a file system: the bytes as an array, and what an image needs."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from surrogate_nas._support.c_text import c_environment
from surrogate_nas._support.files import write_text

SOURCE, HEADER = "model.c", "model.h"
_BYTES_OF_A_LINE = 16

_HEADER = """\
/* {{ file | comment }}, written by surrogate_nas {{ made.created_with | comment }}, for the space
   {{ made.space.name | comment }}, architecture {{ made.code | comment }}. Compile model.c with it, as C99 or C++. */
#ifndef SURROGATE_NAS_MODEL_H
#define SURROGATE_NAS_MODEL_H

#define SURROGATE_NAS_MODEL_SIZE {{ size }} /* bytes */
#define SURROGATE_NAS_IMAGE_SIDE {{ images.size }} /* pixels */
#define SURROGATE_NAS_CHANNELS {{ images.channels }}
#define SURROGATE_NAS_CLASSES {{ made.class_names | length }}

#ifdef __cplusplus
extern "C" {
#endif

/* The file, at an address that is a multiple of 16. */
extern const unsigned char surrogate_nas_model[SURROGATE_NAS_MODEL_SIZE];

/* Names of the classes, in the order of the scores. */
extern const char *const surrogate_nas_classes[SURROGATE_NAS_CLASSES];

/* Each channel of an input is (value / 255 - mean) / std; then the scale and the zero point of the model's input. */
extern const float surrogate_nas_mean[SURROGATE_NAS_CHANNELS];
extern const float surrogate_nas_std[SURROGATE_NAS_CHANNELS];

#ifdef __cplusplus
}
#endif

#endif
"""

_SOURCE = """\
/* {{ file | comment }} as an array, written by surrogate_nas {{ made.created_with | comment }}. */
#include "{{ header }}"

#if defined(__cplusplus)
#define SURROGATE_NAS_ALIGNED alignas(16)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define SURROGATE_NAS_ALIGNED _Alignas(16)
#elif defined(__GNUC__)
#define SURROGATE_NAS_ALIGNED __attribute__((aligned(16)))
#else
#define SURROGATE_NAS_ALIGNED
#endif

const char *const surrogate_nas_classes[SURROGATE_NAS_CLASSES] = {
{% for name in made.class_names %}
    {{ name | string }},
{% endfor %}
};

const float surrogate_nas_mean[SURROGATE_NAS_CHANNELS] = {{ "{" }}{{ images.mean | floats }}{{ "}" }};
const float surrogate_nas_std[SURROGATE_NAS_CHANNELS] = {{ "{" }}{{ images.std | floats }}{{ "}" }};

SURROGATE_NAS_ALIGNED const unsigned char surrogate_nas_model[SURROGATE_NAS_MODEL_SIZE] = {
{% for line in lines %}
    {{ line }}
{% endfor %}
};
"""


def write_c_source(folder: Path, file: str, description: Mapping[str, Any]) -> tuple[str, str]:
    """Writes a model file of a folder as C source with a header beside it.

    Args:
        folder: Holds the file, and takes the source.
        file: Name of the file.
        description: Content of ``model.json``.

    Returns:
        The names of source and header.

    Raises:
        WriteError: If they cannot be written.
    """
    content = (folder / file).read_bytes()
    environment = c_environment()
    environment.filters["floats"] = lambda values: ", ".join(f"{float(value)!r}f" for value in values)
    names = {
        "file": file,
        "header": HEADER,
        "made": description,
        "images": description["preprocessing"],
        "size": len(content),
        "lines": _lines(content),
    }
    for name, template in ((HEADER, _HEADER), (SOURCE, _SOURCE)):
        write_text(folder / name, environment.from_string(template).render(names))
    return SOURCE, HEADER


def _lines(content: bytes) -> Iterator[str]:
    for start in range(0, len(content), _BYTES_OF_A_LINE):
        yield " ".join(f"{byte}," for byte in content[start : start + _BYTES_OF_A_LINE])
