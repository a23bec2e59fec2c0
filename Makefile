# Purser: what a developer and the build machine run.
#
#   make deps       install the Debian packages that tests need (root on Debian), or print the command
#   make check      format, vet, static analysis and the quick tests: before every commit
#   make test       everything the README promises: deps, static analysis, all tests, laws included
#   make laws       the property tests of the laws alone
#   make suites     the slower part: short fuzz runs, then the TestSuite tests (crashes, kill -9, mutations)
#   make fuzz       every fuzz target for FUZZ_TIME each; by hand
#   make soak       the laws again and again with fresh seeds for SOAK_TIME; by hand
#   make bench      the targets, each with its reference in the same run
#   make build      bin/purser
#   make build-kms  bin/purser-kms, which knows key-management services too
#   make demo       the made-up airline, live in this terminal
#
# Every recipe stops at the first command that fails.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

GO ?= go
TOOL := $(GO) tool -modfile=tools.mod

# Debian packages that tests need. The race detector is the one part that
# wants a C compiler; Purser itself is built without cgo. PDF reports are read
# back with pdftotext.
DEBIAN_PACKAGES := gcc libc6-dev poppler-utils

# Packages with goroutines run under the race detector. The pure ones have
# nothing to race, and SQLite translated to Go is too slow with it to be run
# whole a second time: of internal/record, which writes by the thousand, the
# properties are tried twenty times with it, and as often as elsewhere without.
RACE := ^purser/internal/(ledger|seal|deliver|workforce|gate|change|telephony|verification|edge/web|edge/httpapi|server)$$

# A switch must name every value of our own kinds; of other people's it need not.
OUR_KINDS := ^purser[./]

FUZZ_TIME ?= 10m
FUZZ_SHORT_TIME ?= 20s
SOAK_TIME ?= 2h
TEST_TIMEOUT ?= 15m
SUITE_TIMEOUT ?= 60m

.PHONY: help deps go-version format vet static check test laws fuzz fuzz-short suites soak bench build build-kms demo

help:
	@sed -n '3,14s/^# \{0,1\}//p' Makefile

deps:
	@echo "== deps: $(DEBIAN_PACKAGES)"
	@scripts/deps $(DEBIAN_PACKAGES)

go-version:
	@scripts/go-version "$(GO)"

format: go-version
	@echo "== format: gofmt, gofumpt"
	@scripts/format "$(GO)"

vet: go-version
	@echo "== go vet"
	$(GO) vet ./...

static: format vet
	@echo "== staticcheck"
	$(TOOL) staticcheck ./...
	@echo "== exhaustive"
	$(TOOL) exhaustive -B -typeonly '$(OUR_KINDS)' ./...

check: static
	@echo "== quick tests"
	$(GO) test -skip '^(TestSuite|TestLaw)' -timeout $(TEST_TIMEOUT) ./...

test: deps static
	@echo "== tests without the race detector"
	plain=$$($(GO) list ./... | grep -vE '$(RACE)'); \
	$(GO) test -skip '^TestSuite' -timeout $(TEST_TIMEOUT) $$plain
	@echo "== tests under the race detector"
	raced=$$($(GO) list ./... | grep -E '$(RACE)'); \
	$(GO) test -race -skip '^TestSuite' -timeout $(TEST_TIMEOUT) $$raced
	$(GO) test -race -skip '^TestSuite' -timeout $(TEST_TIMEOUT) ./internal/record -rapid.checks=20

laws: go-version
	@echo "== laws"
	$(GO) test -run '^TestLaw' -count=1 -timeout $(SUITE_TIMEOUT) ./...

fuzz: go-version
	@echo "== fuzz, $(FUZZ_TIME) a target"
	@scripts/fuzz "$(GO)" $(FUZZ_TIME)

fuzz-short: go-version
	@echo "== fuzz, $(FUZZ_SHORT_TIME) a target"
	@scripts/fuzz "$(GO)" $(FUZZ_SHORT_TIME)

suites: deps fuzz-short
	@echo "== suites"
	$(GO) test -run '^TestSuite' -count=1 -timeout $(SUITE_TIMEOUT) ./...
	@echo "== key-management services"
	$(GO) test $(KMS) -count=1 ./internal/kms

soak: go-version
	@echo "== soak, $(SOAK_TIME)"
	@scripts/soak "$(GO)" $(SOAK_TIME)

bench: build
	@echo "== bench"
	bin/purser bench reveal
	bin/purser bench start
	bin/purser bench oracle
	bin/purser bench guard
	bin/purser bench import
	bin/purser bench import --kill

build: go-version
	@echo "== build"
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/purser ./cmd/purser

# What key-management services need has a module file of its own, so that
# nothing of it is in the usual build. It adds to go.mod and changes nothing.
KMS := -modfile=kms.mod -tags=kms

build-kms: go-version
	@echo "== build with key-management services"
	CGO_ENABLED=0 $(GO) build $(KMS) -trimpath -o bin/purser-kms ./cmd/purser

demo: build
	@echo "== demo"
	bin/purser demo
