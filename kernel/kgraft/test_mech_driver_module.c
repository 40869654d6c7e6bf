// SPDX-License-Identifier: GPL-2.0
/* What the targets of the module kgr_test_target refer to, and its files */
#include "test_mech_driver.c"
