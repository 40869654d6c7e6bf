/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The migration protocol, first part: threads.
 *
 * A user thread that runs system calls and forks once; a kernel thread that
 * turns its loop, may be preempted anywhere, is moved asleep and has a safe point
 * both in its main function and inside a patched one; and the child, which calls
 * functions, dies, and goes on calling them until its last switch. Any number of
 * them run at a time, on as many CPUs. A patch is applied, then reverted, and
 * unloaded when it has been; one of the two transitions is reversed once, at any
 * moment. Both functions of the patch are called one after the other by the user
 * threads, one inside the other by the kernel thread.
 *
 * Bounds: one fork, one death, one reversal, two transitions, one patch, a stack
 * of two functions. Under the immediate model there is no fork.
 */

#include "common.pml"

/* Bugs that can be seeded: number, the property that finds it, what it is */
#define STUB_LATE	1	/* U1: redirects are installed after contexts have been marked */
#define COUNT_FIRST	2	/* U4: the flag is cleared and counted before the epoch is set */
#define FREE_EARLY	3	/* U5: memory is freed before the grace period */
#define NO_GRACE	4	/* COUNT: a reversal doesn't wait for migrations in flight */
#define NO_C		5	/* U4: no barrier (C) between target and marks */
#define NO_B		6	/* U4: no barrier (B) between mark and target */
#define NO_F		7	/* KICK: no barrier (F) before the last look */
#define NO_H		8	/* U3: no barrier (H) between mark and abandoned ranges */
#define NO_I		9	/* U5: no barrier (I) between pending and dying */
#define NO_SITE		10	/* U3: a thread inside a redirect counts as clean */
#define NO_CHECK	11	/* U3: a safe point doesn't look at the stack */
#define FORK_COPIES	12	/* U4: a child keeps what was copied before the lock was taken */
#define EXIT_UNSEEN	13	/* U5: a dying thread is counted out in exit_notify() */

/* Contexts */
#define USER	0
#define KTHREAD	1
#define CHILD	2
#define MOVER	3

/* What becomes of the child */
#define UNBORN	0
#define ALIVE	1
#define DYING	2
#define DEAD	3

byte epoch[3];
bit mark[3];
byte stack[3];
byte child;
byte dying;		/* kgr_dying[]: the one slot that can be in use, or NONE */
bit held;		/* the scheduler's locks keep the kernel thread from running */
bit tasklist;		/* tasklist_lock: held by a walk, or by the dying child */

/* Redirects, and what is written and not visible yet (plus one; 0: nothing) */
byte choice[2];
byte choice_buffer[2];
byte target_buffer;

#define drained		(!choice_buffer[A] && !choice_buffer[B] && !target_buffer)
#define dying_done	(dying == NONE || dying == want)

/*
 * The rest of a migration: the mark is cleared and the target has been read.
 * step claim: kgr_task_claim()
 */
inline migrate(t, who)
{
	if
	:: bug == COUNT_FIRST -> atomic { put() }
	:: else
	fi;
	atomic {
		must(U3, (stack[t] & (abandoned | SITE)) == 0);
		epoch[t] = to;
		to = 0;
		if
		:: who == MOVER -> held = 0
		:: else
		fi
	};
	atomic {
		if
		:: bug != COUNT_FIRST -> put()
		:: else
		fi;
		leave(who)
	}
}

/*
 * A user thread leaves the kernel, and enters it again. One look stands for
 * both: SYSCALL_WORK_KGRAFT may or may not be seen at entry, which is a mark set
 * just before or just after it.
 * step pass: kgr_migrate_current()
 */
inline pass(t)
{
	if
	:: atomic {
		bug != NO_B ->
		seen = NONE;
		stack[t] = NONE;
		/* step clear: kgr_task_clear_bits() */
		if
		:: mark[t] -> mark[t] = 0; enter(t); to = target
		:: else
		fi
	   }
	:: atomic {
		bug == NO_B ->
		seen = NONE;
		stack[t] = NONE;
		enter(t);
		to = target
	   };
	   atomic {
		if
		:: mark[t] -> mark[t] = 0
		:: else -> to = 0; leave(t)
		fi
	   }
	fi;
	if
	:: to -> migrate(t, t)
	:: else
	fi
}

/* A user thread calls a patched function, and is in it until its next call */
inline call(t, f)
{
	atomic {
		if
		:: site[f] && func -> body = chosen(choice[f], epoch[t])
		:: else -> body = OLD
		fi;
		must(U5, body != gone);
		must(U1, model == IMMEDIATE || seen == NONE || seen == body);
		seen = (model == IMMEDIATE -> NONE : body);
		stack[t] = body;
		body = NONE
	}
}

/* dup_task_struct() copies everything, the rest is done under tasklist_lock */
inline fork()
{
	atomic {
		mark[CHILD] = mark[USER];
		epoch[CHILD] = epoch[USER]
	};
	/* step fork: kgr_task_fork() */
	atomic {
		!tasklist ->
		if
		:: bug != FORK_COPIES ->
			epoch[CHILD] = epoch[USER];
			mark[CHILD] = mark[USER]
		:: else
		fi;
		if
		:: mark[CHILD] -> pending++
		:: else
		fi;
		child = ALIVE
	}
}

proctype user()
{
	byte body, seen, to;

end:	do
	:: pass(USER);
	   if
	   :: call(USER, A)
	   :: skip
	   fi;
	   if
	   :: child == UNBORN -> fork()
	   :: skip
	   fi;
	   if
	   :: call(USER, B)
	   :: skip
	   fi
	od
}

proctype newborn()
{
	byte body, seen, to;

end:	child == ALIVE;
	if
	:: pass(CHILD)
	:: skip
	fi;
	call(CHILD, A);
	/* step exit: kgr_task_exit() */
	atomic {
		!tasklist ->
		tasklist = 1;
		child = DYING;
		if
		:: bug != EXIT_UNSEEN -> dying = epoch[CHILD]
		:: else
		fi
	};
	atomic {
		if
		:: mark[CHILD] -> mark[CHILD] = 0; put()
		:: else
		fi;
		tasklist = 0
	};
	call(CHILD, B);
	/* step dead: kgr_task_dead() */
	atomic {
		stack[CHILD] = NONE;
		seen = NONE;
		dying = NONE
	};
	atomic {
		child = DEAD;
		epoch[CHILD] = 0;
		kicked = kicked || running
	}
}

/* The kernel thread calls: step by step, since it can be moved in between */
inline call_slowly(f)
{
	atomic {
		!held ->
		stack[KTHREAD] = stack[KTHREAD] | SITE;
		if
		:: site[f]
		:: else -> body = OLD
		fi
	};
	/* step choose: kgr_redirect_target() */
	if
	:: body == NONE ->
		atomic { !held -> enter(KTHREAD); found = (func -> choice[f] + 1 : 0) };
		atomic {
			must(U5, !found || !freed);
			body = (found -> chosen(found - 1, epoch[KTHREAD]) : OLD);
			found = 0;
			leave(KTHREAD)
		}
	:: else
	fi;
	atomic {
		!held ->
		must(U5, body != gone);
		must(U1, model == IMMEDIATE || outer == NONE || outer == body);
		stack[KTHREAD] = (stack[KTHREAD] & ~SITE) | body
	}
}

/* step safe-point: __kgr_task_safe() */
inline safe_point()
{
	if
	:: atomic {
		bug != NO_H && !held ->
		/* step walk: kgr_stack_check() */
		clean = mark[KTHREAD] && (bug == NO_CHECK || !(stack[KTHREAD] & abandoned));
		if
		:: clean -> enter(KTHREAD)
		:: else
		fi
	   }
	:: atomic { bug == NO_H && !held -> clean = !(stack[KTHREAD] & abandoned) };
	   atomic {
		!held ->
		clean = clean && mark[KTHREAD];
		if
		:: clean -> enter(KTHREAD)
		:: else
		fi
	   }
	fi;
	if
	:: clean ->
		atomic {
			clean = 0;
			if
			:: mark[KTHREAD] -> mark[KTHREAD] = 0; to = target
			:: else -> leave(KTHREAD)
			fi
		};
		if
		:: to -> migrate(KTHREAD, KTHREAD)
		:: else
		fi
	:: else
	fi
}

proctype kthread()
{
	byte body, outer, found, to;
	bit clean;

end:	do
	:: if
	   :: call_slowly(A); outer = body; body = NONE
	   :: skip
	   fi;
	   safe_point();
	   if
	   :: outer -> call_slowly(B); body = NONE
	   :: skip
	   fi;
	   atomic { !held -> stack[KTHREAD] = NONE; outer = NONE }
	od
}

/*
 * Whoever moves a thread that does not run: a visit to a straggler, or the stopper
 * of its CPU. The stopper does not hold kgr_mutex, so that its steps may be
 * interleaved with a reversal; they are shown for the kernel thread. A user thread
 * is moved at once.
 */
inline move_user(t)
{
	if
	:: !(stack[t] & abandoned) -> mark[t] = 0; epoch[t] = target; put()
	:: else
	fi
}

proctype mover()
{
	byte to;
	bit clean;

end:	do
	:: atomic { model != UNIVERSE && mark[USER] && !inside(USER) -> move_user(USER) }
	:: atomic {
		model != UNIVERSE && mark[CHILD] && !inside(CHILD) && child == ALIVE && !tasklist ->
		move_user(CHILD)
	   }
	/* step stopper: kgr_stopper() */
	:: atomic { mark[KTHREAD] -> enter(MOVER) };
	   /* step hold: kgr_move_if_clean() */
	   atomic {
		!inside(KTHREAD) ->
		held = 1;
		clean = !(stack[KTHREAD] & ((bug == NO_SITE -> 0 : SITE) | abandoned))
	   };
	   atomic {
		if
		:: clean && mark[KTHREAD] -> mark[KTHREAD] = 0; to = target
		:: else -> held = 0; leave(MOVER)
		fi;
		clean = 0
	   };
	   if
	   :: to -> migrate(KTHREAD, MOVER)
	   :: else
	   fi
	od
}

/* What has been written becomes visible */
proctype memory()
{
end:	do
	:: atomic { choice_buffer[A] -> choice[A] = choice_buffer[A] - 1; choice_buffer[A] = 0 }
	:: atomic { choice_buffer[B] -> choice[B] = choice_buffer[B] - 1; choice_buffer[B] = 0 }
	:: atomic { target_buffer -> target = target_buffer; target_buffer = 0 }
	od
}

/* step publish: kgr_redirect_publish() */
inline publish(number, there, here)
{
	choice_buffer[A] = choice_of(number, there, here) + 1;
	choice_buffer[B] = choice_buffer[A]
}

/* step target: kgr_set_target() */
inline set_target()
{
	target_buffer = want;
	pending = 1
}

/* step mark: kgr_task_mark() */
inline mark_task(t, listed)
{
	if
	:: listed && epoch[t] != want -> pending++; mark[t] = 1
	:: else
	fi
}

/* step unmark: kgr_task_unmark() */
inline unmark_task(t, listed)
{
	if
	:: listed && mark[t] -> mark[t] = 0; put()
	:: else
	fi
}

/* step mark-all: kgr_mark_all() */
inline mark_all()
{
	bug == NO_C || drained;
	atomic { !tasklist -> tasklist = 1; mark_task(USER, 1) };
	atomic { mark_task(KTHREAD, 1) };
	atomic { mark_task(CHILD, child == ALIVE); tasklist = 0 };
	if
	:: bug == STUB_LATE -> site[A] = 1; site[B] = 1
	:: else
	fi;
	atomic { put() }
}

/* step begin: kgr_transition_begin() */
inline begin()
{
	must(SINGLE, !running);
	/* step reuse: kgr_redirect_begin() */
	grace == 0 && drained;
	atomic {
		gone = NONE;
		/* step abandon: kgr_stack_abandon() */
		abandoned = other_side;
		publish(number, apply, (model == IMMEDIATE) == apply)
	};
	/* step install: kgr_redirect_lead() */
	atomic { func = 1; site[A] = site[A] || bug != STUB_LATE };
	site[B] = site[B] || bug != STUB_LATE;
	atomic {
		running = 1;
		want = number;
		set_target()
	};
	mark_all()
}

/* step reverse: kgr_transition_reverse() */
inline reverse()
{
	atomic {
		!tasklist ->
		tasklist = 1;
		reversed = 1;
		pending++;
		unmark_task(USER, 1)
	};
	atomic { unmark_task(KTHREAD, 1) };
	atomic { unmark_task(CHILD, child == ALIVE); tasklist = 0 };
	/* step grace: kgr_transition_reverse() */
	if
	:: bug != NO_GRACE -> synchronize_rcu()
	:: else
	fi;
	atomic {
		must(COUNT, pending == 1);
		apply = !apply;
		abandoned = other_side;
		/* step flip: kgr_redirect_flip() */
		if
		:: model == IMMEDIATE ->
			want = number + 1;
			publish(want, apply, apply)
		:: else ->
			want = (want == number -> from : number)
		fi;
		set_target()
	};
	mark_all()
}

/* step look: kgr_transition_over() */
inline look()
{
	atomic {
		kicked ->
		if
		:: bug == NO_F -> done = (pending == 0 && dying_done)
		:: else -> kicked = 0
		fi
	};
	if
	:: bug == NO_F -> kicked = 0
	:: bug == NO_I -> done = dying_done; done = done && pending == 0
	:: else ->
		done = (pending == 0);
		if
		:: done -> done = dying_done
		:: else
		fi
	fi
}

/* step finish: kgr_transition_finish() */
inline finish()
{
	atomic {
		must(U5, !((stack[USER] | stack[KTHREAD] | stack[CHILD]) & abandoned));
		must(U4, epoch[USER] == want && epoch[KTHREAD] == want);
		must(U4, epoch[CHILD] == want || child == UNBORN || child == DEAD ||
			 child == DYING && !dying);
		gone = abandoned;
		/* step settle: kgr_redirect_settle() */
		publish(0, apply, apply)
	};
	atomic { drained -> grace = sections };
	/* step forget: kgr_stack_forget() */
	atomic { abandoned = NONE; running = 0 }
}

/* Everything that is done with kgr_mutex held; then the module goes */
proctype patch()
{
	byte number, from, want;
	bit apply, reversed, done;

	apply = 1;
	from = 1;
	number = 2;
again:
	begin();
	do
	:: look();
	   if
	   :: done -> done = 0; break
	   :: else
	   fi
	:: !reversed -> reverse()
	/* Never possible: all are done, nobody is awake; nobody is left to wait for */
	:: !kicked && pending == 0 && dying_done && !(child == DYING && !dying) ->
		must(KICK, false)
	:: !kicked && pending && !mark[USER] && !mark[KTHREAD] &&
	   !(mark[CHILD] && child == ALIVE) && !sections && !tasklist ->
		must(COUNT, false)
	od;
	finish();
	if
	:: apply && number == 2 ->
		apply = 0;
		from = want;
		number = 3;
		goto again
	:: apply && number != 2
	:: !apply ->
		/* step remove: kgr_remove_some() */
		site[A] = 0;
		site[B] = 0;
		func = 0;
		/* step free: kgr_func_destroy() */
		if
		:: bug != FREE_EARLY -> synchronize_rcu()
		:: else
		fi;
		/* step unload: kgr_patch_remove() */
		atomic {
			freed = 1;
			must(U5, !((stack[USER] | stack[KTHREAD] | stack[CHILD]) & NEW))
		}
	fi
}

init {
	atomic {
		c_code {
			now.bug = env_number("PROTOCOL_BUG");
			now.model = env_number("PROTOCOL_MODEL");
		};
		epoch[USER] = 1;
		epoch[KTHREAD] = 1;
		target = 1;
		if
		:: model == IMMEDIATE -> child = DEAD
		:: else
		fi;
		run user();
		run kthread();
		run newborn();
		run mover();
		run memory();
		run patch()
	}
}
