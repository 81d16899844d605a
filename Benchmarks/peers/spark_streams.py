"""Spark's streaming learners, all in the Java virtual machine: Python only hands over files of rows
and is told after each batch. One task at a time, and one core for all threads of the machine."""

import json
import os
import tempfile
import time
import warnings
from contextlib import contextmanager

import numpy as np


@contextmanager
def silent():
    """Programs that are started write nothing to standard error. Failed calls still raise."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


class Spark:
    """A context that lives until the process ends."""

    def __init__(self):
        from pyspark import SparkConf, SparkContext

        warnings.simplefilter("ignore", FutureWarning)
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        settings = {
            "spark.master": "local[1]",
            "spark.app.name": "peer",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
        }
        # It warns of much, and complains when a stream is stopped.
        with silent():
            self.context = SparkContext(conf=SparkConf().setAll(settings.items()))
        self.context.setLogLevel("ERROR")
        self.learning = self.context._jvm.org.apache.spark.mllib
        self.folder = tempfile.TemporaryDirectory()
        self.files = 0

    def vectors(self, rows):
        return self._load(self.learning.util.MLUtils.loadVectors, map(str, rows.tolist()))

    def labelled(self, rows, labels):
        lines = (f"({label},{row})" for label, row in zip(labels.tolist(), rows.tolist()))
        return self._load(self.learning.util.MLUtils.loadLabeledPoints, lines)

    def _load(self, load, lines):
        """Rows as they are in the machine's memory, one partition."""
        self.files += 1
        path = f"{self.folder.name}/{self.files}"
        with open(path, "w") as file:
            file.writelines(line.replace(" ", "") + "\n" for line in lines)
        rows = load(self.context._jsc.sc(), path, 1).toJavaRDD().cache()
        rows.count()
        return rows

    def logistic_regression(self, features):
        """With default settings, from weights of 0. It has no intercept."""
        model = self.learning.classification.StreamingLogisticRegressionWithSGD()
        return model.setInitialWeights(self.learning.linalg.Vectors.zeros(features))

    def k_means(self, clusters, features, half_life=None, sigma=1.0, seed=1):
        """From normal centres of a deviation; without a half-life nothing is forgotten."""
        model = self.learning.clustering.StreamingKMeans().setK(clusters)
        if half_life is not None:
            model = model.setHalfLife(float(half_life), "points")
        draws = np.random.default_rng(seed).normal(scale=sigma, size=(clusters, features))
        java, linalg = self.context._gateway, self.learning.linalg
        centres = java.new_array(linalg.Vector, clusters)
        for number, centre in enumerate(draws.tolist()):
            centres[number] = linalg.Vectors.parse(str(centre).replace(" ", ""))
        return model.setInitialCenters(centres, java.new_array(java.jvm.double, clusters))

    def stream(self, model, batches, unlabelled=None, after=lambda: None):
        """Trains a model on batches, one after the other, calling `after` each; gives the times at
        which they were done. Where they are given `unlabelled` too, each is predicted first."""
        from pyspark.serializers import NoOpSerializer
        from pyspark.streaming import StreamingContext
        from pyspark.streaming.dstream import DStream

        # Seconds a batch, unless one takes longer, as they do: new ones wait. Spark prepares one at
        # every tick, also when none is left, so ticks should not be many.
        streaming = StreamingContext(self.context, 0.1)
        times = []

        def queue(batches):
            queued = self.context._jvm.java.util.LinkedList()
            for batch in batches:
                queued.add(batch)
            return streaming._jssc.queueStream(queued, True)

        def each(stream, call):
            DStream(stream, streaming, NoOpSerializer()).foreachRDD(call)

        def done(rows):
            if len(times) < len(batches):
                after()
                times.append(time.perf_counter())

        if unlabelled is not None:
            each(model.predictOn(queue(unlabelled)), lambda scores: scores._jrdd.count())
        stream = queue(batches)
        model.trainOn(stream)
        each(stream, done)
        streaming.start()
        while len(times) < len(batches):
            time.sleep(0.01)
        streaming.stop(stopSparkContext=False)
        return times


def numbers(vector):
    return np.array(json.loads(vector.toString()))
