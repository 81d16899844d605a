import COpenBLAS

/// Process-wide set-up of OpenBLAS.
enum OpenBLAS {
  /// Pins OpenBLAS to the calling thread, once. The matrices here are too small to share out, and
  /// a fixed order of summation is what makes replay repeat bit for bit.
  static let isPinned: Bool = {
    openblas_set_num_threads(1)
    return true
  }()

  /// Called before every BLAS or LAPACK call.
  @inline(__always)
  static func prepare() {
    _ = isPinned
  }
}
