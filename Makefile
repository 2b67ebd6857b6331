# `make help` lists the targets. `make run` and `make test` are the two that a newcomer needs.

export CARGO_TARGET_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ennead/target-$(shell rustc -V 2>/dev/null | cut -d' ' -f2)

# Flags for the server: make run ARGS="--resp 127.0.0.1:7000 --durability always"
ARGS ?=
# Length of `make soak`, in seconds for each test that runs for a time.
SOAK_SECONDS ?= 600

.DEFAULT_GOAL := help
.PHONY: help run test lint bench-store bench-redis bench-etcd suite-redis suite-tair soak deps docs package

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Build a release and run it with its defaults; data in ./data
	@command -v cargo >/dev/null || { echo "cargo is missing: install Rust from https://rustup.rs"; exit 1; }
	@[ -x "$(CARGO_TARGET_DIR)/release/ennead" ] || echo "The first build takes about ten minutes on two cores."
	cargo build --release --locked --bin ennead
	@exec "$(CARGO_TARGET_DIR)/release/ennead" serve $(ARGS)

test: ## Install what the tests need and run all of them
	@tests/run

lint: ## Formatting, clippy, licences (installs cargo-deny into the cache when it is missing)
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@tests/tools cargo-deny
	PATH="$$(tests/tools --path):$$PATH" cargo deny --offline check licenses bans sources

bench-store: ## Compare the store with RocksDB's db_bench
	@tests/tools db_bench
	cargo build --release --locked -p ennead-store --example bench_store
	python3 tests/bench/store.py $(ARGS)

bench-redis: ## Compare the daemon with redis-server
	@tests/tools redis
	cargo build --release --locked --bin ennead
	ENNEAD_BINARY="$(CARGO_TARGET_DIR)/release/ennead" python3 tests/bench/redis.py $(ARGS)

bench-etcd: ## Compare the daemon with etcd, by etcd's own load generator (needs Go)
	@tests/tools etcd
	cargo build --release --locked --bin ennead
	ENNEAD_BINARY="$(CARGO_TARGET_DIR)/release/ennead" ENNEAD_ETCD="$$(tests/tools --etcd)" python3 tests/bench/etcd.py $(ARGS)

suite-redis: ## Run Redis's own test suite (fetched from Debian) and compare with tests/baselines; ARGS="--update" adds to it
	@tests/tools redis
	@command -v tclsh >/dev/null || { echo "tclsh is missing: apt install tcl"; exit 1; }
	cargo build --locked --bin ennead
	ENNEAD_BINARY="$(CARGO_TARGET_DIR)/debug/ennead" python3 tests/suites/redis.py $(ARGS)

suite-tair: ## Run Tair's compatibility suite for Redis (fetched from GitHub) and compare with tests/baselines; ARGS="--update" adds to it
	cargo build --locked --bin ennead
	ENNEAD_BINARY="$(CARGO_TARGET_DIR)/debug/ennead" python3 tests/suites/tair.py $(ARGS)

soak: ## The tests with random input, for long
	@SOAK_SECONDS=$(SOAK_SECONDS) tests/run soak

deps: ## Install what the tests need, and nothing else
	@tests/tools redis etcd python node

docs: ## Rewrite the generated files: config/, docs/reference/, COMPATIBILITY.md, man page, completions
	cargo run --locked --bin ennead -- generate .

package: ## Build a Debian package of the optimised binary into packaging/out
	@packaging/build-deb
