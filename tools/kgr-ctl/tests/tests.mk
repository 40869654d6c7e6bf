# SPDX-License-Identifier: GPL-2.0
#
# Unit tests: one program per test_*.c, and scripts test_*.sh, test_*.py.  WRAP_name
# lists the functions that a program replaces by its own (__wrap_...).

TESTDIR	:= $(OBJ)/tests
TESTS	:= $(patsubst tests/%.c,%,$(wildcard tests/test_*.c))
# test_schema.py comes last: it looks at what the others have printed
SCRIPTS	:= $(wildcard tests/test_*.sh tests/test_*.py)

WRAP_test_wait := poll kgr_nl_open kgr_nl_close kgr_nl_subscribe kgr_nl_fd kgr_nl_take_events kgr_nl_stragglers
WRAP_test_force := kgr_sysfs_write
WRAP_test_metrics := kgr_nl_open kgr_nl_close kgr_nl_stragglers
WRAP_test_show := kgr_nl_open kgr_nl_close kgr_nl_functions
WRAP_test_journal := syslog __syslog_chk
WRAP_test_load := kmod_module_insert_module kmod_module_remove_module
WRAP_test_autoload := kmod_module_insert_module kmod_module_remove_module
WRAP_test_store := fsync renameat flock nanosleep kmod_module_remove_module
WRAP_test_stragglers := kgr_nl_open kgr_nl_close kgr_nl_stragglers kgr_nl_nudge kgr_nl_message kgr_nl_subscribe

# Patch modules as far as libkmod reads them, made by the compiler
FIXTURES := $(addprefix $(TESTDIR)/,kgr-good.ko kgr-plain.ko kgr-old.ko kgr-all.ko kgr-hand.ko \
	kgr-next.ko kgr-linked.ko kgr-other.ko kgr-nameless.ko)
FIXTURE_kgr-good := -DIS_KGRAFT -DFUNCTIONS -DNAME='"kgr_good"'
FIXTURE_kgr-old := -DIS_KGRAFT -DNAME='"kgr_old"' -DVERMAGIC='"1.2.3 SMP "'
FIXTURE_kgr-all := -DIS_KGRAFT -DCUMULATIVE -DNAME='"kgr_good"'
FIXTURE_kgr-hand := -DIS_KGRAFT -DBY_HAND -DNAME='"kgr_good"'
# another build of kgr-good, another patch, and one that names no kernel
FIXTURE_kgr-next := -DIS_KGRAFT -DFUNCTIONS -DNAME='"kgr_good"' -DSRCVERSION='"0000000000000000000000B"'
FIXTURE_kgr-linked := -DIS_KGRAFT -DFUNCTIONS -DNAME='"kgr_good"' -DOWN_BUILD_ID='"0x04030201"'
FIXTURE_kgr-other := -DIS_KGRAFT -DFUNCTIONS -DNAME='"kgr_other"'
FIXTURE_kgr-nameless := -DIS_KGRAFT -DNAME='"kgr_nameless"' -DVERMAGIC='""'
FIXTURE_kgr-plain := -DNAME='"kgr_plain"'

$(TESTDIR)/%.ko: tests/module.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(FIXTURE_$*) -fno-pic -mcmodel=kernel -c -o $@ $<

$(TESTDIR)/test_%: $(OBJ)/tests/test_%.o $(OBJ)/tests/fixture.o $(OBJS)
	$(call say,LD)$(CC) $(CFLAGS) $(SANITIZE) $(LDFLAGS) \
		$(addprefix -Wl$(comma)--wrap=,$(WRAP_test_$*)) \
		-o $@ $^ $(LIBS) -lcmocka

$(OBJ)/tests/%.o: KGR_CFLAGS += -Itests -DFIXTURE_DIR='"$(abspath $(TESTDIR))"'

# What guest.sh needs besides: static, since the guest has not all libraries
GUEST_PROGRAMS := $(TESTDIR)/crowd $(TESTDIR)/pty

$(GUEST_PROGRAMS): $(TESTDIR)/%: tests/%.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) -D_GNU_SOURCE -Wall -Wextra -Werror -O2 -static -pthread -o $@ $<

guest-programs: $(GUEST_PROGRAMS)

check-programs: $(TESTS:%=$(TESTDIR)/%) $(FIXTURES)

check: all check-programs check-man
	@rm -rf $(TESTDIR)/documents && mkdir $(TESTDIR)/documents
	@CMOCKA_MESSAGE_OUTPUT=TAP KGR_CTL='$(abspath $(O)/kgr-ctl)' \
		KGR_DOCUMENTS='$(abspath $(TESTDIR)/documents)' \
		$(PROVE) --exec '' $(TESTS:%=$(TESTDIR)/%) $(SCRIPTS)

check-asan:
	+@$(MAKE) --no-print-directory OBJ='$(OBJ).asan' O='$(OBJ).asan' OPT='-O1 -g' \
		SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer' \
		check

# The man page has what the command table says
check-man: $(O)/kgr-ctl
	@$(man-refresh) | cmp -s - $(MAN) || { \
		echo "$(MAN) is out of date: run make -C tools/kgr-ctl man-update" >&2; exit 1; }

.PHONY: check-programs check-man guest-programs
.SECONDARY: $(TESTS:%=$(OBJ)/tests/%.o) $(OBJ)/tests/fixture.o
-include $(wildcard $(OBJ)/tests/*.d)
