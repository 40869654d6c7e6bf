/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Five hundred functions, kgr_test_many_000 to _499, for tests and measurements
 * of patches that replace many. X(number) is called for each; the number has
 * three digits.
 */
#ifndef _LINUX_KGRAFT_TEST_MANY_H
#define _LINUX_KGRAFT_TEST_MANY_H

#define KGR_TEST_MANY_10(X, n)						\
	X(n##0) X(n##1) X(n##2) X(n##3) X(n##4)				\
	X(n##5) X(n##6) X(n##7) X(n##8) X(n##9)
#define KGR_TEST_MANY_100(X, n)						\
	KGR_TEST_MANY_10(X, n##0) KGR_TEST_MANY_10(X, n##1)		\
	KGR_TEST_MANY_10(X, n##2) KGR_TEST_MANY_10(X, n##3)		\
	KGR_TEST_MANY_10(X, n##4) KGR_TEST_MANY_10(X, n##5)		\
	KGR_TEST_MANY_10(X, n##6) KGR_TEST_MANY_10(X, n##7)		\
	KGR_TEST_MANY_10(X, n##8) KGR_TEST_MANY_10(X, n##9)
#define KGR_TEST_MANY(X)						\
	KGR_TEST_MANY_100(X, 0) KGR_TEST_MANY_100(X, 1)			\
	KGR_TEST_MANY_100(X, 2) KGR_TEST_MANY_100(X, 3)			\
	KGR_TEST_MANY_100(X, 4)

#define KGR_TEST_MANY_COUNT	500

#define KGR_TEST_MANY_DECLARE(n)	int kgr_test_many_##n(void);
KGR_TEST_MANY(KGR_TEST_MANY_DECLARE)
#undef KGR_TEST_MANY_DECLARE

#endif /* _LINUX_KGRAFT_TEST_MANY_H */
