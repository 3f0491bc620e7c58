import csv
import io
from pathlib import Path

import numpy as np

IDENTITY = ["id", "species", "island"]


def load_table(path: Path):
    """The table of penguins-features, whose own loader is TypeScript: names, classes and features of the birds."""
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    return {
        "columns": header[len(IDENTITY) :],
        "ids": np.array([int(row[0]) for row in rows]),
        "species": np.array([row[1] for row in rows]),
        "islands": np.array([row[2] for row in rows]),
        "values": np.array([row[len(IDENTITY) :] for row in rows], dtype=float),
    }


def dump_predictions(predictions):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*IDENTITY, "predicted", "votes"])
    writer.writerows(predictions)
    return text.getvalue()


def load_predictions(path: Path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
