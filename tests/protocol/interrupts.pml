/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The migration protocol, second part: interrupt levels, redirects, hotplug.
 *
 * Two CPUs. On each, code in task context that passes safe points, the stopper
 * thread included, and interrupts: an outermost one, which calls functions, and
 * another that comes on top of it and calls one. An interrupt may come at any
 * place, also between two steps of a migration. One of the CPUs goes offline and
 * comes back any number of times. A patch is applied, then reverted, and unloaded
 * when it has been; one of the two transitions is reversed once, at any moment.
 *
 * Here a redirect is in full what it is in the kernel: a pointer to one of two
 * slots, which are filled anew in turn. Pointer and slots become visible apart.
 *
 * Bounds: two levels of interrupts, at most three calls in one, one reversal, two
 * transitions, one patch.
 */

#include "common.pml"

/* Bugs that can be seeded: number, the property that finds it, what it is */
#define STUB_LATE	1	/* U2: redirects are installed after CPUs have been marked */
#define COUNT_FIRST	2	/* U4: the flag is cleared and counted before the epoch is set */
#define FREE_EARLY	3	/* U5: memory is freed before the grace period */
#define NO_GRACE	4	/* COUNT: a reversal doesn't wait for migrations in flight */
#define NO_A		5	/* U5: no barrier (A) between a choice and the pointer to it */
#define NO_C		6	/* U4: no barrier (C) between target and marks */
#define NO_SLOT_GRACE	7	/* SLOT: a slot is filled again without a grace period */
#define IN_INTERRUPT	8	/* U5: a nested interrupt is taken for task context */
#define REMOTE		9	/* U5: the epoch of a CPU is written from another */
#define NO_CPUS_LOCK	10	/* U4: marks are set without cpu_hotplug_lock */
#define DEAD_UNSEEN	11	/* COUNT: a CPU that dies takes its mark with it */
#define COMES_OLD	12	/* U4: a CPU comes up with the epoch that it went down with */

/* Who can be in a section: code in task context of each CPU, its interrupts */
#define TASK(c)		(c)
#define IRQ(c)		(2 + (c))

/* Interrupt levels */
byte epoch[2];
bit mark[2];
byte level[2];		/* interrupts that nest at present */
byte seen[2];		/* the body that the outermost one has seen, and all in it */
byte reading[2];	/* a slot is being read: 1 + 2 * function + slot */
bit offline;		/* CPU 1 is */
bit cpus;		/* cpu_hotplug_lock */

/* Redirects, and what is written and not visible yet (contents plus one) */
typedef slots { byte slot[2] };
slots func_of[2];
bit choice[2];
byte slot_buffer[2];
bit choice_buffer[2];
byte target_buffer;

#define drained		(!choice_buffer[A] && !choice_buffer[B] && \
			 !slot_buffer[A] && !slot_buffer[B] && !target_buffer)
#define spare(f)	(1 - choice[f])
#define online(c)	(c == 0 || !offline)

/* Code in task context of a CPU passes a safe point */
proctype cpu(byte c)
{
	byte to;

end:	do
	/* step irq-claim: kgr_irq_migrate() */
	:: atomic {
		mark[c] && level[c] == 0 && online(c) ->
		/* step irq-unmark: kgr_irq_unmark() */
		mark[c] = 0;
		enter(TASK(c));
		to = target
	   };
	   if
	   :: bug == COUNT_FIRST -> atomic { level[c] == 0 -> put() }
	   :: else
	   fi;
	   atomic { level[c] == 0 -> epoch[c] = to; to = 0 };
	   atomic {
		level[c] == 0 ->
		if
		:: bug != COUNT_FIRST -> put()
		:: else
		fi;
		leave(TASK(c))
	   }
	od
}

/* step choose: kgr_redirect_target() */
inline call(f)
{
	atomic {
		if
		:: site[f] && func -> reading[c] = 1 + 2 * f + choice[f]
		:: else -> body = OLD
		fi
	};
	atomic {
		if
		:: reading[c] ->
			must(U5, !freed);
			body = chosen(func_of[f].slot[(reading[c] - 1) % 2], epoch[c]);
			reading[c] = 0
		:: else
		fi;
		must(U5, body != gone);
		must(U2, model == IMMEDIATE || seen[c] == NONE || seen[c] == body);
		seen[c] = body;
		body = NONE
	}
}

proctype interrupt(byte c)
{
	byte body;

end:	do
	:: atomic { level[c] == 0 && online(c) -> level[c] = 1; enter(IRQ(c)) };
	   if
	   :: call(A)
	   :: skip
	   fi;
	   if
	   :: level[c] = 2;
	      if
	      :: atomic {
			bug == IN_INTERRUPT && mark[c] ->
			mark[c] = 0;
			epoch[c] = target;
			put()
		 }
	      :: skip
	      fi;
	      call(B);
	      level[c] = 1
	   :: skip
	   fi;
	   if
	   :: call(B)
	   :: skip
	   fi;
	   atomic { level[c] = 0; seen[c] = NONE; leave(IRQ(c)) }
	od
}

/* Who takes the lock sees what has been written under it */
proctype hotplug()
{
end:	do
	:: atomic { !offline && !cpus && !target_buffer -> cpus = 1 };
	   atomic { level[1] == 0 && !inside(TASK(1)) -> offline = 1 };
	   /* step cpu-dead: kgr_cpu_dead() */
	   atomic {
		if
		:: mark[1] && bug != DEAD_UNSEEN -> mark[1] = 0; epoch[1] = target; put()
		:: else
		fi;
		cpus = 0
	   }
	:: atomic { offline && !cpus && !target_buffer -> cpus = 1 };
	   /* step cpu-prepare: kgr_cpu_prepare() */
	   epoch[1] = (bug == COMES_OLD -> epoch[1] : target);
	   atomic { must(U4, epoch[1] == target); offline = 0; cpus = 0 }
	od
}

/* What has been written becomes visible; (A): a pointer after what it points to */
inline show_slot(f)
{
	func_of[f].slot[(choice_buffer[f] -> spare(f) : choice[f])] = slot_buffer[f] - 1;
	slot_buffer[f] = 0
}

inline show_choice(f)
{
	choice[f] = spare(f);
	choice_buffer[f] = 0
}

proctype memory()
{
end:	do
	:: atomic { slot_buffer[A] -> show_slot(A) }
	:: atomic { slot_buffer[B] -> show_slot(B) }
	:: atomic { choice_buffer[A] && (!slot_buffer[A] || bug == NO_A) -> show_choice(A) }
	:: atomic { choice_buffer[B] && (!slot_buffer[B] || bug == NO_A) -> show_choice(B) }
	:: atomic { target_buffer -> target = target_buffer; target_buffer = 0 }
	od
}

/* step publish: kgr_redirect_publish() */
inline fill(f)
{
	must(SLOT, reading[0] != 1 + 2 * f + spare(f) && reading[1] != 1 + 2 * f + spare(f));
	slot_buffer[f] = content + 1;
	choice_buffer[f] = 1
}

inline publish(number, there, here)
{
	content = choice_of(number, there, here);
	fill(A);
	fill(B);
	content = 0
}

/* step cpus-mark: kgr_cpus_mark() */
inline mark_cpu(c)
{
	if
	:: epoch[c] != want && online(c) && bug != REMOTE -> pending++; mark[c] = 1
	:: else -> epoch[c] = (bug == COMES_OLD -> epoch[c] : want)
	fi
}

/* step cpus-unmark: kgr_cpus_unmark() */
inline unmark_cpu(c)
{
	if
	:: mark[c] && online(c) -> mark[c] = 0; put()
	:: else
	fi
}

inline lock_cpus()
{
	atomic { !cpus || bug == NO_CPUS_LOCK -> cpus = (bug != NO_CPUS_LOCK) }
}

/* step target: kgr_set_target() */
inline set_target()
{
	lock_cpus();
	atomic { target_buffer = want; pending = 1 };
	/* step mark-all: kgr_mark_all() */
	bug == NO_C || drained;
	atomic { mark_cpu(0) };
	atomic { mark_cpu(1); cpus = 0 };
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
	bug == NO_SLOT_GRACE || grace == 0;
	atomic {
		gone = NONE;
		abandoned = other_side;
		publish(number, apply, (model == IMMEDIATE) == apply)
	};
	/* step install: kgr_redirect_lead() */
	atomic { func = 1; site[A] = site[A] || bug != STUB_LATE };
	site[B] = site[B] || bug != STUB_LATE;
	atomic { running = 1; want = number };
	set_target()
}

/* step reverse: kgr_transition_reverse() */
inline reverse()
{
	lock_cpus();
	atomic { reversed = 1; pending++; unmark_cpu(0) };
	atomic { unmark_cpu(1); cpus = 0 };
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
		fi
	};
	set_target()
}

/* step finish: kgr_transition_finish() */
inline finish()
{
	atomic {
		must(U5, seen[0] != abandoned && seen[1] != abandoned);
		must(U4, epoch[0] == want && (offline || epoch[1] == want));
		gone = abandoned;
		/* step settle: kgr_redirect_settle() */
		publish(0, apply, apply)
	};
	atomic { drained -> grace = sections };
	atomic { abandoned = NONE; running = 0 }
}

/* Everything that is done with kgr_mutex held; then the module goes */
proctype patch()
{
	byte number, from, want, content;
	bit apply, reversed;

	apply = 1;
	from = 1;
	number = 2;
again:
	begin();
	do
	/* step look: kgr_transition_over() */
	:: atomic { kicked -> kicked = 0 };
	   if
	   :: pending == 0 -> break
	   :: else
	   fi
	:: !reversed -> reverse()
	/* Never possible: all are done, nobody is awake; nobody is left to wait for */
	:: !kicked && pending == 0 -> must(KICK, false)
	:: !kicked && pending && !mark[0] && !mark[1] && !sections && !cpus ->
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
		atomic { freed = 1; must(U5, seen[0] != NEW && seen[1] != NEW) }
	fi
}

init {
	atomic {
		c_code {
			now.bug = env_number("PROTOCOL_BUG");
			now.model = env_number("PROTOCOL_MODEL");
		};
		epoch[0] = 1;
		epoch[1] = 1;
		target = 1;
		run cpu(0);
		run cpu(1);
		run interrupt(0);
		run interrupt(1);
		run hotplug();
		run memory();
		run patch()
	}
}
