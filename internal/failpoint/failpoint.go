// Package failpoint has a process do what tests of others need: end at a named
// place in the code, and be wrong about the time. It is there only in builds with
// the tag failpoint; elsewhere a Hit is nothing at all and Clock is time.Now.
//
// PARLEY_FAILPOINT=NAME:N ends the process at the Nth hit. PARLEY_CLOCK=FILE adds
// to the clock what the file says, such as "-1.5s", as it says it: the file may
// change at any time, and be missing.
package failpoint

import "time"

// BeforeFanOut is where a message is stored, and nobody has it or knows.
const BeforeFanOut = "before-fanout"

// ClockDelay is how long a Clock may go without looking at its file.
const ClockDelay = 20 * time.Millisecond
