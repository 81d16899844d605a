import Learners
import StateCoding
import Testing

@Suite struct StateTests {
  @Test func readsWhatWasWritten() throws {
    var writer = StateWriter()
    writer.write(UInt16(0x1234))
    writer.write(Int64(-5))
    writer.write(-0.0)
    writer.write(true)
    writer.write([1.5, .pi])
    writer.write([UInt32(7), 8])
    writer.write("Käse")
    writer.write(RandomSource(seed: 1))
    #expect(writer.bytes.prefix(2) == [0x34, 0x12])
    var reader = StateReader(writer.bytes)
    #expect(try reader.read(UInt16.self) == 0x1234)
    #expect(try reader.read(Int64.self) == -5)
    #expect(try reader.readFinite().sign == .minus)
    #expect(try reader.readBool())
    #expect(try reader.readFinites(count: 2) == [1.5, .pi])
    #expect(try reader.readArray(of: UInt32.self) == [7, 8])
    #expect(try reader.readString() == "Käse")
    #expect(try reader.readRandomSource() == RandomSource(seed: 1))
    try reader.finish()
  }

  @Test func throwsOnWhatCannotBe() {
    var short = StateReader([1, 2, 3])
    #expect(throws: StateError.truncated) { try short.read(UInt32.self) }
    var huge = StateReader([UInt8](repeating: 255, count: 16))
    #expect(throws: StateError.truncated) { try huge.readFinites() }
    var count = StateReader([9, 0, 0, 0, 0, 0, 0, 0])
    #expect(throws: StateError.self) { try count.readCount(limit: 8) }
    var flag = StateReader([2])
    #expect(throws: StateError.self) { try flag.readBool() }
    var nan = StateReader([UInt8](repeating: 255, count: 8))
    #expect(throws: StateError.self) { try nan.readFinite() }
    var zero = StateReader([UInt8](repeating: 0, count: 32))
    #expect(throws: StateError.self) { try zero.readRandomSource() }
    var text = StateReader([1, 0, 0, 0, 0, 0, 0, 0, 0xFF])
    #expect(throws: StateError.self) { try text.readString() }
    #expect(throws: StateError.trailingBytes(1)) { try StateReader([0]).finish() }
  }
}
