"""The forest that the peers made with isotree measure."""


def forest(features, seed=1):
    """As Liu, Ting and Zhou describe it: 100 trees of 256 rows, one feature a split. One thread."""
    from isotree import IsolationForest

    forest = IsolationForest(
        ntrees=100, sample_size=256, ndim=1, missing_action="fail", random_seed=seed, nthreads=1
    )
    return forest.fit(features)
