// SPDX-License-Identifier: Apache-2.0
#include "repodata/encoder.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

#include "repodata/sample_metadata.hpp"

namespace repoupdate {
namespace {

std::string text_of(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += sha256_hex(std::to_string(i % 5000)) + '\n';
  return text;
}

EncodedFile encode(Compression compression, std::string_view text, std::size_t piece,
                   HashType type = HashType::sha256) {
  Encoder encoder(compression, type);
  for (std::size_t at = 0; at < text.size(); at += piece) encoder.write(text.substr(at, piece));
  return encoder.finish();
}

TEST(Encoder, StatesWhatIsStoredAndWhatIsOpen) {  // I8
  const std::string text = text_of(1'000'000);
  for (const Compression compression : {Compression::gz, Compression::zstd}) {
    for (const HashType type : {HashType::sha256, HashType::sha512, HashType::sha1}) {
      const EncodedFile file = encode(compression, text, text.size(), type);
      EXPECT_TRUE(sample::decode(file.bytes) == text);
      EXPECT_EQ(file.checksum, (Checksum{type, hash_hex(type, file.bytes)}));
      EXPECT_EQ(file.open_checksum, (Checksum{type, hash_hex(type, text)}));
      EXPECT_EQ(file.open_size, text.size());
      EXPECT_EQ(file.sha256, sha256_hex(file.bytes));
      EXPECT_LT(file.bytes.size(), text.size());
    }
  }
}

TEST(Encoder, BytesDoNotDependOnThePieces) {  // I5
  const std::string text = text_of(700'000);
  for (const Compression compression : {Compression::gz, Compression::zstd}) {
    const std::string whole = encode(compression, text, text.size()).bytes;
    for (const std::size_t piece : {1U, 977U, 65536U, 262144U})
      EXPECT_TRUE(encode(compression, text, piece).bytes == whole) << piece;
  }
}

TEST(Encoder, WritesOneGzipMemberWithoutTime) {
  const std::string stored = encode(Compression::gz, text_of(2'000'000), 1000).bytes;
  EXPECT_EQ(stored.substr(4, 4), std::string(4, '\0'));  // MTIME, RFC 1952
  z_stream stream{};
  ASSERT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string room(3'000'000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(stored.data()));
  stream.avail_in = static_cast<uInt>(stored.size());
  stream.next_out = reinterpret_cast<Bytef*>(room.data());
  stream.avail_out = static_cast<uInt>(room.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  EXPECT_EQ(stream.avail_in, 0U);
  inflateEnd(&stream);
}

TEST(Encoder, NothingWrittenIsAnEmptyFile) {
  for (const Compression compression : {Compression::gz, Compression::zstd}) {
    const EncodedFile file = encode(compression, "", 1);
    EXPECT_FALSE(file.bytes.empty());
    EXPECT_EQ(sample::decode(file.bytes), "");
    EXPECT_EQ(file.open_checksum.hex, sha256_hex(""));
  }
}

}  // namespace
}  // namespace repoupdate
