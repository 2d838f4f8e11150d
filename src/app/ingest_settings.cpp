// SPDX-License-Identifier: Apache-2.0
#include "app/ingest_settings.hpp"

#include <fstream>
#include <iterator>

#include "base/hash.hpp"
#include "base/version.hpp"

namespace repoupdate {
namespace {

Result<std::string> read_key_file(const std::string& name) {
  std::ifstream stream(name, std::ios::binary);
  if (!stream) return Error{ErrorKind::invalid, "signed_by: cannot read " + name, {}};
  std::string bytes(k_max_public_key_file + 1, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(stream.gcount()));
  if (stream.bad()) return Error{ErrorKind::invalid, "signed_by: cannot read " + name, {}};
  return bytes;
}

// All that decides about a package.
std::string text_of(const RepositorySettings& settings) {
  std::string text = settings.file_names + '\n' + std::to_string(settings.max_package_mib) + '\n' +
                     (settings.immutable ? "immutable\n" : "");
  for (const auto* list : {&settings.arches, &settings.vendors, &settings.allow_names, &settings.deny_names}) {
    for (const auto& element : *list) text += element + '\n';
    text += "--\n";
  }
  return text;
}

}  // namespace

Result<IngestRules> ingest_rules(const RepositorySettings& settings) {
  IngestRules rules;
  IngestPolicy& policy = rules.policy;
  policy.file_name_is_nvra = settings.file_names == "nvra";
  policy.arches = settings.arches;
  policy.vendors = settings.vendors;
  policy.allow_names = settings.allow_names;
  policy.deny_names = settings.deny_names;
  policy.max_size = settings.max_package_mib << 20;
  policy.immutable = settings.immutable;
  std::string text = text_of(settings);
  if (!settings.signed_by.empty()) {
    Keyring keyring;
    for (const auto& name : settings.signed_by) {
      const auto bytes = read_key_file(name);
      if (!bytes) return bytes.error();
      if (auto added = keyring.add(*bytes, name); !added) return std::move(added.error()).within("signed_by");
      text += sha256_hex(*bytes) + '\n';
    }
    policy.signed_by = std::make_shared<const Keyring>(std::move(keyring));
  }
  rules.judge = std::string(k_version) + ' ' + sha256_hex(text).substr(0, 16);
  return rules;
}

}  // namespace repoupdate
