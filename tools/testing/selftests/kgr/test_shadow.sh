#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shadow variables. The tests are in the module kgr_test_shadow; that nothing has
# leaked is seen at the end, where kmemleak is there.

. "$(dirname "$0")/lib/kgr.sh"

# shadow TEST - run it: the module loads if all is as it should be
shadow()
{
	kgr_is "$1" ok kgr_load kgr_test_shadow test="$1" || return
	kgr_is "unload" ok kgr_unload kgr_test_shadow
}

# One variable per object and meaning; a second one is refused with a message that
# says who wanted it and what to do instead.
case_get()
{
	shadow get
	kgr_is "messages about the second one" 1 \
		kgr_logged "kgraft: shadow variable 0x6b67720001: test_get.*second time.*get_or_alloc"
}
kgr_case case_get "get, alloc and free"

case_ctor()
{
	shadow ctor
}
kgr_case case_ctor "a constructor that fails leaves no variable"

case_race()
{
	shadow race
}
kgr_case case_race "several callers of get_or_alloc, one constructor"

case_free_all()
{
	shadow free_all
}
kgr_case case_free_all "all of a meaning are freed, each destructed once"

case_atomic()
{
	shadow atomic
}
kgr_case case_atomic "from an interrupt, and under RCU"

# A test that can't fail proves nothing: the module says so of one that it has not.
case_teeth()
{
	kgr_is "no such test" EINVAL kgr_load kgr_test_shadow test=none
}
kgr_case case_teeth "what is not a test does not pass"

kgr_run
