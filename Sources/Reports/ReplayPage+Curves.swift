import Files

extension ReplayPage {
  /// How the models rank, whether their probabilities hold, and how they score either class.
  var curves: Section? {
    var pictures: [HTML] = []
    if let roc = CurvePictures.roc(models) { pictures.append(roc) }
    if let precision = CurvePictures.precisionRecall(models) { pictures.append(precision) }
    if let calibration = CurvePictures.calibration(models) { pictures.append(calibration) }
    let histograms = models.compactMap(CurvePictures.histogram)
    guard !pictures.isEmpty || !histograms.isEmpty else { return nil }
    let scores: HTML =
      histograms.isEmpty
      ? HTML()
      : """
      <h3>Scores by class</h3>
      <p class="about">Above the line the scores of \
      <span class="key s2">positives</span>, below it those of \
      <span class="key s1">all others</span>; each as shares of its class, to a scale of its own.\
      </p><div class="grid">\(histograms)</div>
      """
    return Section(
      id: "curves", title: "Curves", body: "<div class=\"grid\">\(pictures)</div>\(scores)")
  }
}
