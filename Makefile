# SPDX-License-Identifier: Apache-2.0
# The short way to everything; the build itself is CMake's (CMakePresets.json).

PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
# What the tests run beside each other; they start servers, so more is not faster.
TEST_JOBS ?= 2
# How long each fuzz target runs, or, when it is set, how often.
FUZZ_SECONDS ?= 60
FUZZ_RUNS ?=
# How often `make reliability` ends the daemon, how many events it lets wait, and how many of the calls' failures on the
# wire it tries with each of two stores (all: every one, in some hours); and how long `make soak` lasts.
RELIABILITY_ROUNDS ?= 300
RELIABILITY_BACKLOG ?= 100000
RELIABILITY_FAULTS ?= 1000
SOAK_MINUTES ?= 60

# A compiler cache when there is one; never needed.
LAUNCHER := $(if $(shell command -v ccache),-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
CONFIGURE = cmake --preset $(1) $(LAUNCHER) -DREPOUPDATE_TESTS=$(2) >/dev/null
BUILD = cmake --build --preset $(1) --parallel $(JOBS)
TEST = ctest --preset $(1) --parallel $(TEST_JOBS) --no-tests=error

SOURCES = $(shell find src fuzz bench -name '*.cpp' -o -name '*.hpp')

PYTEST = REPOUPDATE=$(CURDIR)/build/release/repoupdate REPOUPDATE_TEST_PACKAGES=$(CURDIR)/build/release/tests/packages \
	.venv/bin/python -B -m pytest -q -s --tb=short -p no:cacheprovider

.PHONY: build demo check check-servers asan tsan reliability soak bench bench-s3 fuzz format tidy install clean help
.DEFAULT_GOAL := build

build: ## build/release/repoupdate, optimised (the default)
	@$(call CONFIGURE,release,OFF)
	@$(call BUILD,release)

demo: ## install what is needed, build, and watch a directory become a repository
	@scripts/install-deps --build --demo
	@$(call CONFIGURE,release,OFF)
	@$(call BUILD,release)
	@scripts/demo build/release/repoupdate

check: ## install what is needed, build, and run every test
	@scripts/install-deps --build --test
	@$(call CONFIGURE,release,ON)
	@$(call BUILD,release)
	@$(call TEST,release)
	@echo 'make check: everything passed'

# The matrix is made from what ran just now: results of an earlier run would stand for servers that are missing today.
check-servers: ## run the store suite against every S3 server that can be had here, and MinIO's notifications; the matrix goes to docs/stores.md
	@scripts/install-deps --build --test --servers
	@$(call CONFIGURE,release,ON)
	@$(call BUILD,release)
	@rm -f build/release/tests/results/stores.*.xml
	@$(call TEST,servers); status=$$?; .venv/bin/python -B tests/stores_matrix.py build/release/tests/results docs/stores.md && exit $$status

# A program that a test kills, or whose exit code nobody looks at, has its report in a file all the same.
asan tsan: ## build with sanitizers (address and undefined; thread) and run every test; no report may be left
	@scripts/install-deps --build --test
	@$(call CONFIGURE,$@,ON)
	@$(call BUILD,$@)
	@rm -f build/$@/report.*
	@$(call TEST,$@); status=$$?; cat build/$@/report.* 2>/dev/null && exit 1; exit $$status
	@echo 'make $@: everything passed'

reliability: ## the whole of the tests that docs/reliability.md tells of; some 90 minutes, figures in build/reliability.txt
	@scripts/install-deps --build --test
	@$(call CONFIGURE,release,ON)
	@$(call BUILD,release)
	@bash -o pipefail -c 'REPOUPDATE_ROUNDS=$(RELIABILITY_ROUNDS) REPOUPDATE_BACKLOG=$(RELIABILITY_BACKLOG) REPOUPDATE_FAULTS=$(RELIABILITY_FAULTS) \
	$(PYTEST) tests/test_kill.py tests/test_rough_writers.py tests/test_backlog.py tests/test_faults.py | tee build/reliability.txt'

soak: ## load a daemon for SOAK_MINUTES (60); its memory, files, disk and threads go to build/soak.csv and soak.svg
	@scripts/install-deps --build --test
	@$(call CONFIGURE,release,ON)
	@$(call BUILD,release)
	@REPOUPDATE_SOAK_MINUTES=$(SOAK_MINUTES) REPOUPDATE_FIGURES=build $(PYTEST) tests/test_soak.py

bench: ## measure updates against hashing and createrepo_c, at most 15 minutes (bench/README.md)
	@scripts/install-deps --build --bench
	@$(call CONFIGURE,bench,OFF)
	@$(call BUILD,bench)
	@build/bench/bench/repobench --json build/bench.json >build/bench.md && cat build/bench.md

bench-s3: ## count the requests of updates at 20 ms each, in front of two S3 servers (bench/README.md)
	@scripts/install-deps --build --bench-s3
	@$(call CONFIGURE,bench,OFF)
	@$(call BUILD,bench)
	@.venv/bin/python bench/s3/run.py build/bench --server rgw --markdown build/bench-s3-rgw.md
	@.venv/bin/python bench/s3/run.py build/bench --server seaweedfs --markdown build/bench-s3-seaweedfs.md

fuzz: ## run each fuzz target for FUZZ_SECONDS (60), or FUZZ_RUNS times, on arbitrary input
	@scripts/install-deps --build --fuzz
	@$(call CONFIGURE,fuzz,OFF)
	@$(call BUILD,fuzz)
	@fuzz/run build/fuzz $(if $(FUZZ_RUNS),-runs=$(FUZZ_RUNS),-max_total_time=$(FUZZ_SECONDS))

format: ## clang-format every source in place
	clang-format -i $(SOURCES)

tidy: ## clang-tidy every source; what it finds is an error
	@$(call CONFIGURE,dev,ON)
	run-clang-tidy -quiet -p build/dev -j $(JOBS) "$(CURDIR)/src/.*\.cpp"

install: build ## install below $(DESTDIR)$(PREFIX)
	@cmake -DCMAKE_INSTALL_PREFIX=$(PREFIX) build/release > /dev/null  # the unit names the program by its path
	DESTDIR=$(DESTDIR) cmake --install build/release

clean: ## remove everything that was built
	rm -rf build

help: ## this text
	@sed -n 's/^\([a-z0-9 -]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16
