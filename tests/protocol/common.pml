/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the two sub-models share.
 *
 * A step of the model that stands for a place in the kernel is written as
 *
 *	step NAME: kgr_function()
 *
 * in a comment, and that function has a comment that says "Model: NAME"
 * (scripts/check-steps compares the two). What is inside atomic {} happens at
 * once in the model: under a lock that all others take, or in one instruction, or
 * it is more than one access of which only one can be told from outside.
 *
 * Memory: what a begun transition publishes goes by way of a buffer, from which it
 * becomes visible in any order and at any time, until a full barrier or a grace
 * period has drained it. A read that could be done early, where no barrier keeps
 * it back, is done early under the seeded bug that takes the barrier away. All
 * other accesses are atomic read-modify-writes, made under locks, or of no
 * interest to others before the next full barrier.
 */

#define NONE	0

/* Bodies of a function; what a context has on its stack is a sum of them */
#define OLD	1
#define NEW	2
/* In a redirect: the body is not entered yet */
#define SITE	4

/* Two functions of one patch */
#define A	0
#define B	1

/* enum kgr_model */
#define UNIVERSE	0
#define HYBRID		1
#define IMMEDIATE	2

c_decl {
\#include <stdlib.h>
}

/* From the environment: which bug is seeded, 0 for none; the patch's model */
byte bug, model;

#define env_number(name)	(getenv(name) ? atoi(getenv(name)) : 0)

/*
 * Properties, by name. None of these variables ever changes, nor are they part of
 * the state: they put a name into what the checker prints.
 *
 * U1-U5 and SINGLE	the invariants of the consistency documentation: task
 *			context, interrupt level, clean stacks, nobody is
 *			forgotten, completion, one at a time
 * COUNT		pending is exactly what it says; nobody waits for a
 *			context that is not marked
 * KICK			the worker is awake when there is something to complete
 * SLOT			no choice is filled that somebody reads
 */
hidden byte U1, U2, U3, U4, U5, SINGLE, COUNT, KICK, SLOT;
#define must(name, cond)	assert(name || (cond))

/* Where a function continues: number, body for its carriers, body for others */
#define choice_of(number, there, here)	((number) * 4 + (there) * 2 + (here))
#define chosen(choice, epoch)	(((choice) / 4 == (epoch) -> (choice) / 2 : (choice)) % 2 + 1)

/* Sections with preemption disabled, one bit each; those that a grace period waits for */
byte sections, grace;

#define enter(who)	sections = sections | (1 << (who))
#define leave(who)	sections = sections & ~(1 << (who)); grace = grace & ~(1 << (who))
#define inside(who)	(sections & (1 << (who)))

/* struct kgr_transition, as far as others see it */
byte target;
byte pending;
bit running;
bit kicked;

bit site[2];		/* is the function's entry redirected? */
bit func;		/* can struct kgr_func be found? */
bit freed;		/* and has its memory been given back? */
byte abandoned;		/* kgr_ranges: the body that is being abandoned */
byte gone;		/* the body that nobody may be in any more */

/* step put: kgr_pending_put() */
inline put()
{
	must(COUNT, pending > 0);
	pending--;
	/* step kick: kgr_transition_kick() */
	if
	:: pending == 0 -> kicked = 1
	:: else
	fi
}

/* A grace period is a full barrier as well */
#define synchronize_rcu()	grace = sections; grace == 0 && drained

#define this_side	(apply -> NEW : OLD)
#define other_side	(apply -> OLD : NEW)
