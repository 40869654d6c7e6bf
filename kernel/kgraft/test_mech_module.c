// SPDX-License-Identifier: GPL-2.0
/* The targets of test_mech.c as a part of the module kgr_test_target */
#include "test_mech.c"
