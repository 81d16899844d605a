/// A record as it lies in the log. The bytes are borrowed from the log and only valid inside the
/// read call's body: copy what has to live longer.
public struct RecordView {
  /// The record's place in its partition, from 0; without gaps unless records were lost to damage.
  public let offset: UInt64
  /// Milliseconds since 1970, as the producer gave it. Need not rise with the offset.
  public let timestamp: Int64
  /// The key; nil if the record has none, which differs from an empty key.
  public let key: UnsafeRawBufferPointer?
  /// The value; may be empty. Not aligned: read numbers with `loadUnaligned`.
  public let value: UnsafeRawBufferPointer

  @inline(__always)
  init(offset: UInt64, record: StoredRecord) {
    self.offset = offset
    timestamp = record.timestamp
    key = record.key
    value = record.value
  }
}
