# SPDX-License-Identifier: GPL-2.0
#
# kGraft's own targets: "make help" lists them. The subsystem itself is built by
# the kernel's Makefiles, in a tree that "make integrate" or git am has prepared.

# Everything here is a sequence of larger steps, each of them parallel in itself.
.NOTPARALLEL:
.DEFAULT_GOAL := help

BUILD	?= $(CURDIR)/build
export BUILD

## CONFIG=NAME	configuration of the kernel: vm, debug or nograft (default vm)
CONFIG	?= vm
## KGR_FUZZ_SECONDS=N	how long each of kgr-build's readers is fuzzed (check: 60, soak: 300)
## KGR_CUTS=N	how often the power fails in make check-host (check: 4, soak: 20)
## KSRC=DIR	a Linux 6.12.y tree: to integrate into, or as source of our kernels
KSRC	?=
## CORPUS=DIR	real fixes, with an index: for make corpus
CORPUS	?=
prefix	?= /usr/local
## KGR_REPS=N	cycles of apply and revert per model in the consistency tests
ifdef KGR_REPS
export KGR_REPS
endif
ifneq ($(KSRC),)
export KSRC
endif

demo: deps tools	## the whole story in a guest: a diff becomes a patch of a running kernel
	+@scripts/kernel vm
	@demo/run.sh

check: deps tools deb	## all tests, on the vm and the debug kernel
	@scripts/install-deps host
	+@scripts/check vm debug

check-quick: deps tools deb	## the tests without the debug kernel
	@scripts/install-deps host
	+@scripts/check vm

## STAGES=NAMES	which of the stages of scripts/soak (default all)
soak: deps tools deb	## the kselftests in all forms, those that repeat things far longer, long fuzzing, power cuts
	+@scripts/kernel vm
	+@scripts/kernel debug
	@scripts/install-deps host
	@scripts/host-image >/dev/null
	@scripts/soak $(STAGES)

corpus: deps tools	## try kgr-build on the real fixes in CORPUS, a directory: a table of outcomes
	@[ -f "$(CORPUS)/index.tsv" ] || scripts/corpus "$(CORPUS)"
	+@scripts/kernel vm
	@scripts/corpus "$(CORPUS)"

check-packages: deps tools deb rpm	## the packages and the initramfs hooks, on a copy of this machine
	@tests/packages.t
	@tests/packages-rpm.t
	@tests/initramfs.t

check-host: deps tools deb	## packages, boots, crashes, power cuts in a Debian guest with systemd
	@scripts/install-deps host
	+@scripts/kernel vm
	@scripts/host-image >/dev/null
	@tests/host.t

check-fleet: deps	## the Ansible role, on three hosts that are this one
	@scripts/install-deps fleet
	@tests/fleet.t

bench: deps tools	## what kGraft costs, beside livepatch (tables, JSON and plots in build/bench)
	+@scripts/kernel vm
	+@scripts/kernel nograft
	@scripts/check-entry $(BUILD)/kernel-vm/vmlinux $(BUILD)/kernel-nograft/vmlinux
	@scripts/selftests vm >/dev/null
	@scripts/bench

bench-build: deps tools	## how long kgr-build takes, beside make for the same change, and for everything
	+@scripts/kernel vm
	@scripts/bench-build

manual: deps tools	## write what kgr-ctl answers, in a guest, into its man page and the page of refusals
	+@scripts/kernel vm
	@scripts/selftests vm >/dev/null
	@tests/kgr-ctl-manual.t --update
	@git diff --stat Documentation

## MUTANTS=NAMES	which of tests/mutants (default all)
mutants: deps tools	## break kGraft on purpose, in many ways: do the tests notice?
	+@scripts/kernel vm
	@scripts/selftests vm >/dev/null
	@scripts/mutants $(MUTANTS)

kernel: deps	## build the kernel of CONFIG into build/kernel-CONFIG
	+@scripts/kernel $(CONFIG)

tools: deps	## build kgr-build and kgr-ctl into build/tools
	@mkdir -p $(BUILD)/tools
	@$(MAKE) --no-print-directory -C tools/kgr-build O=$(BUILD)/tools
	@$(MAKE) --no-print-directory -C tools/kgr-ctl O=$(BUILD)/tools

integrate:	## put kGraft into the kernel tree KSRC
	@scripts/integrate "$(KSRC)"

patch:	## write the subsystem as a series for git am: build/patch, build/kgraft-6.12.mbox
	@scripts/make-series

install: tools	## install the tools (DESTDIR, prefix)
	@$(MAKE) --no-print-directory -C tools/kgr-build O=$(BUILD)/tools install
	@$(MAKE) --no-print-directory -C tools/kgr-ctl O=$(BUILD)/tools install

deb:	## make Debian packages of the tools: build/deb
	@scripts/install-deps packaging
	@scripts/package-deb

rpm:	## make RPM packages of the tools: build/rpm
	@scripts/install-deps packaging
	@scripts/package-rpm

deps:	## install the Debian packages that are missing
	@scripts/install-deps

clean:	## remove everything that was built
	rm -rf $(BUILD)

help:	## this list
	@awk -F '\t+' '/^[a-z-]+:.*\t## / { t = $$1; sub(/:.*/, "", t); sub(/.*## /, ""); \
			printf "  make %-14s %s\n", t, $$0 } \
		/^## / { v = $$1; sub(/^## /, "", v); o[++n] = sprintf("  %-19s %s", v, $$2) } \
		END { print "Variables:"; for (i = 1; i <= n; i++) print o[i] }' $(firstword $(MAKEFILE_LIST))

.PHONY: demo check check-quick check-packages check-host check-fleet soak corpus bench bench-build manual mutants kernel tools integrate patch install deb rpm deps clean help
