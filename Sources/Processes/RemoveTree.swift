import Glibc

/// Removes a file, or a folder and what is in it; nothing if there is none.
public func removeTree(_ path: String) {
  if let directory = opendir(path) {
    var names: [String] = []
    while let entry = readdir(directory) {
      names.append(
        withUnsafeBytes(of: entry.pointee.d_name) { bytes in
          String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        })
    }
    closedir(directory)
    for name in names where name != "." && name != ".." { removeTree("\(path)/\(name)") }
  }
  remove(path)
}
