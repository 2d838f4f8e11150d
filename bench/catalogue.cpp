// SPDX-License-Identifier: Apache-2.0
#include "catalogue.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

#include "random.hpp"
#include "words.hpp"

namespace repoupdate::bench {
namespace {

struct RoleShape {
  Role role;
  std::string_view prefix;
  std::string_view suffix;
  unsigned percent;  // of the source packages that have it
  bool is_noarch;
};

constexpr auto k_program_roles = std::to_array<RoleShape>({{Role::main, "", "", 100, false},
                                                           {Role::libs, "", "-libs", 30, false},
                                                           {Role::devel, "", "-devel", 35, false},
                                                           {Role::doc, "", "-doc", 15, true},
                                                           {Role::data, "", "-common", 12, true},
                                                           {Role::data, "", "-data", 8, true},
                                                           {Role::tools, "", "-tools", 10, false},
                                                           {Role::main, "", "-plugins", 4, false},
                                                           {Role::main, "", "-tests", 3, false}});
constexpr auto k_library_roles = std::to_array<RoleShape>({{Role::libs, "", "", 100, false},
                                                           {Role::devel, "", "-devel", 95, false},
                                                           {Role::doc, "", "-doc", 25, true},
                                                           {Role::tools, "", "-tools", 20, false},
                                                           {Role::libs, "", "-static", 10, false}});
constexpr auto k_python_roles =
    std::to_array<RoleShape>({{Role::main, "python3-", "", 100, true}, {Role::doc, "python-", "-doc", 15, true}});
constexpr auto k_perl_roles =
    std::to_array<RoleShape>({{Role::main, "perl-", "", 100, true}, {Role::data, "perl-", "-tests", 30, true}});
constexpr auto k_rust_roles = std::to_array<RoleShape>({{Role::devel, "rust-", "-devel", 100, true},
                                                        {Role::feature, "rust-", "+default-devel", 95, true},
                                                        {Role::feature, "rust-", "+std-devel", 50, true},
                                                        {Role::feature, "rust-", "+serde-devel", 25, true},
                                                        {Role::feature, "rust-", "+alloc-devel", 20, true}});
constexpr auto k_golang_roles = std::to_array<RoleShape>(
    {{Role::devel, "golang-github-", "-devel", 100, true}, {Role::tools, "golang-github-", "", 20, false}});
constexpr auto k_texlive_roles =
    std::to_array<RoleShape>({{Role::main, "texlive-", "", 100, true}, {Role::doc, "texlive-", "-doc", 25, true}});

struct EcosystemShape {
  Ecosystem ecosystem;
  unsigned percent;
  std::string_view source_prefix;
  std::span<const RoleShape> roles;
};

constexpr auto k_ecosystems = std::to_array<EcosystemShape>({{Ecosystem::plain, 44, "", k_program_roles},
                                                             {Ecosystem::lib, 13, "lib", k_library_roles},
                                                             {Ecosystem::python, 16, "python-", k_python_roles},
                                                             {Ecosystem::perl, 9, "perl-", k_perl_roles},
                                                             {Ecosystem::rust, 7, "rust-", k_rust_roles},
                                                             {Ecosystem::golang, 4, "golang-github-", k_golang_roles},
                                                             {Ecosystem::texlive, 7, "texlive-", k_texlive_roles}});

// How many files packages have: this share of them has at most so many. Half have a dozen, one in a
// hundred has thousands, the largest 20,000.
struct Quantile {
  double share;
  double files;
};
constexpr auto k_file_counts = std::to_array<Quantile>({{0, 0},
                                                        {0.02, 1},
                                                        {0.10, 3},
                                                        {0.30, 7},
                                                        {0.50, 14},
                                                        {0.70, 33},
                                                        {0.85, 95},
                                                        {0.93, 230},
                                                        {0.97, 550},
                                                        {0.99, 1500},
                                                        {0.997, 3800},
                                                        {0.9995, 9500},
                                                        {1, 20000}});

std::uint32_t file_count(double share) {
  const auto above = std::find_if(k_file_counts.begin() + 1, k_file_counts.end() - 1,
                                  [share](const Quantile& quantile) { return share < quantile.share; });
  const auto below = above - 1;
  const double part = (share - below->share) / (above->share - below->share);
  return static_cast<std::uint32_t>(std::lround(below->files + part * (above->files - below->files)));
}

std::string coined_word(Random& random) {
  std::string word;
  for (std::uint64_t left = random.between(2, 4); left > 0; --left) word += random.pick(k_syllables);
  return word;
}

std::string stem(Random& random, Ecosystem ecosystem) {
  const bool is_perl = ecosystem == Ecosystem::perl;
  std::string name = random.chance(45) ? coined_word(random) : std::string(random.pick_common(k_words));
  for (unsigned percent = 60; random.chance(percent); percent /= 3)
    name.append("-").append(random.pick_common(k_words));
  for (std::size_t i = 0; is_perl && i < name.size(); ++i)  // perl-Foo-Bar
    if ((i == 0 || name[i - 1] == '-') && name[i] >= 'a') name[i] = static_cast<char>(name[i] - 'a' + 'A');
  return name;
}

std::string version(Random& random) {
  std::string text = std::to_string(random.chance(40) ? 0 : random.between(1, 8));
  text += '.' + std::to_string(random.below(30));
  if (random.chance(70)) text += '.' + std::to_string(random.below(12));
  return text;
}

class CatalogueBuilder {
public:
  CatalogueBuilder(std::size_t packages, std::uint64_t seed, std::unordered_set<std::string> taken)
      : m_wanted(packages), m_random(derived_seed(seed, packages)), m_taken(std::move(taken)) {
    m_phase = m_random.unit();
  }

  Catalogue build() {
    while (m_catalogue.packages.size() < m_wanted) add_source();
    const auto basename = [](const PackagePlan& plan) {
      return std::string_view(plan.href).substr(plan.href.rfind('/') + 1);
    };
    std::sort(
        m_catalogue.packages.begin(), m_catalogue.packages.end(), [&](const PackagePlan& a, const PackagePlan& b) {
          return std::pair(basename(a), std::string_view(a.href)) < std::pair(basename(b), std::string_view(b.href));
        });
    return std::move(m_catalogue);
  }

private:
  void add_source() {
    const EcosystemShape& shape = pick_ecosystem();
    SourcePlan source;
    source.ecosystem = shape.ecosystem;
    source.stem =
        shape.ecosystem == Ecosystem::lib ? "lib" + stem(m_random, shape.ecosystem) : stem(m_random, shape.ecosystem);
    source.name = shape.ecosystem == Ecosystem::lib ? source.stem : std::string(shape.source_prefix) + source.stem;
    source.version = version(m_random);
    source.release = std::to_string(m_random.between(1, 10)) + ".fc40";
    source.seed = m_random.next();
    m_catalogue.sources.push_back(std::move(source));
    for (const RoleShape& role : shape.roles)
      if (m_random.chance(role.percent)) add_package(role);
  }

  const EcosystemShape& pick_ecosystem() {
    std::uint64_t number = m_random.below(100);
    for (const EcosystemShape& shape : k_ecosystems) {
      if (number < shape.percent) return shape;
      number -= shape.percent;
    }
    return k_ecosystems.front();
  }

  void add_package(const RoleShape& shape) {
    const SourcePlan& source = m_catalogue.sources.back();
    PackagePlan plan;
    plan.name.append(shape.prefix).append(source.stem).append(shape.suffix);
    if (m_catalogue.packages.size() == m_wanted || !m_taken.insert(plan.name).second) return;
    plan.source = m_catalogue.sources.size() - 1;
    plan.role = shape.role;
    plan.seed = m_random.next();
    plan.files = shape.role == Role::feature ? 2 : file_count(next_share());
    const bool has_twin = (shape.role == Role::libs || shape.role == Role::devel) && !shape.is_noarch;
    if (has_twin && m_random.chance(40)) place(plan, "i686");
    place(std::move(plan), shape.is_noarch ? "noarch" : "x86_64");
  }

  void place(PackagePlan plan, std::string_view arch) {
    if (m_catalogue.packages.size() == m_wanted) return;
    const SourcePlan& source = m_catalogue.sources[plan.source];
    const char first = plan.name[0];
    plan.href.append("Packages/").push_back(first);
    plan.href.append("/").append(plan.name).append("-").append(source.version).append("-").append(source.release);
    plan.href.append(".").append(arch).append(".rpm");
    plan.arch = arch;
    plan.build = m_random.next();
    m_catalogue.packages.push_back(std::move(plan));
  }

  // Multiples of the golden ratio fill 0...1 evenly, so that also a small repository has its share of large packages.
  double next_share() {
    m_phase += 0.6180339887498949;
    return m_phase -= std::floor(m_phase);
  }

  std::size_t m_wanted;
  Random m_random;
  std::unordered_set<std::string> m_taken;
  double m_phase = 0;
  Catalogue m_catalogue;
};

}  // namespace

std::string soname_stem(const SourcePlan& source) {
  return source.stem.starts_with("lib") ? source.stem : "lib" + source.stem;
}

Catalogue make_catalogue(std::size_t packages, std::uint64_t seed, std::unordered_set<std::string> taken) {
  return CatalogueBuilder(packages, seed, std::move(taken)).build();
}

}  // namespace repoupdate::bench
