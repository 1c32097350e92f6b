//go:build !failpoint

package failpoint

import "time"

// Built says whether this build has failpoints.
const Built = false

// Hit does nothing.
func Hit(string) {}

// Clock is time.Now.
func Clock() func() time.Time { return time.Now }
