import numpy as np
from crystallize import Artifact, pipeline_step


@pipeline_step()
def standardise(data, ctx, scaled: bool = True):
    """Splits the birds; with `scaled`, every feature gets mean 0 and deviation 1, learnt from the training birds."""
    table, split = data["table"], data["split"]
    train = np.isin(table["ids"], split["train"])
    test = np.isin(table["ids"], split["test"])
    values = table["values"]
    if scaled:
        values = (values - values[train].mean(axis=0)) / values[train].std(axis=0)
    return {"table": table, "values": values, "train": train, "test": test}


@pipeline_step()
def predict(data, ctx, predictions: Artifact, neighbours: int):
    """The species that most of the nearest training birds have; the nearest of them decides a tie."""
    table, values, train, test = data["table"], data["values"], data["train"], data["test"]
    species, classes = np.unique(table["species"], return_inverse=True)
    distances = np.linalg.norm(values[test][:, None, :] - values[train][None, :, :], axis=2)
    nearest = classes[train][np.argsort(distances, axis=1, kind="stable")[:, :neighbours]]
    votes = (nearest[:, :, None] == np.arange(len(species))).sum(axis=1)
    # Less than half a vote for the nearest bird: it counts only in a tie.
    votes_with_tie = votes + 0.25 * (nearest[:, :1] == np.arange(len(species)))
    winner = votes_with_tie.argmax(axis=1)
    identities = zip(table["ids"][test], table["species"][test], table["islands"][test])
    most = votes.max(axis=1)
    predictions.write([[*identity, species[w], m] for identity, w, m in zip(identities, winner, most)])
    return {"truth": classes[test], "winner": winner, "votes": votes}


@pipeline_step()
def score(data, ctx):
    """Accuracy, and by how large a share of the votes the truth leads over the best other species."""
    truth, winner, votes = data["truth"], data["winner"], data["votes"]
    birds = np.arange(len(truth))
    for_truth = votes[birds, truth]
    others = votes.copy()
    others[birds, truth] = -1
    margin = (for_truth - others.max(axis=1)) / votes.sum(axis=1)
    return data, {"accuracy": np.mean(truth == winner), "margin": margin.mean()}
