# Names for what is done often. Nothing is decided here: the scripts in .ci/ and the tools decide.

export PATH := $(HOME)/.cargo/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help demo build test lint bench fuzz run clean

help: ## show this list
	@sed -n 's/^\([a-z]*\): ##/  make \1\t/p' Makefile | expand -t 16

demo: ## build, then show two providers talking and two attackers being refused (a minute)
	@.ci/tools build
	@.ci/demo

build: ## build the release binaries
	@.ci/tools build
	@cargo build --release --bins

test: ## build the programs, then run every test of the workspace
	@.ci/tools build peers
	@.ci/test

lint: ## formatting, clippy, licences of dependencies
	@.ci/tools build lint
	@.ci/lint

bench: ## measure against a bare relay and other brokers; prints ratios
	@.ci/tools build
	@.ci/bench

fuzz: ## fuzz every target, ten minutes each or `make fuzz SECONDS=60`
	@.ci/tools build fuzz
	@FUZZ_SECONDS=$(or $(SECONDS),600) .ci/fuzz

run: ## start the runtime in the foreground, in your own directories
	@.ci/tools build
	@cargo run --profile fast --bin hyperty -- up

clean: ## remove everything that was built
	@cargo clean
