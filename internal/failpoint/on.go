//go:build failpoint

package failpoint

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// armed is the point that ends the process, and how many hits are left.
var (
	armed string
	left  atomic.Int64
)

func init() {
	name, count, _ := strings.Cut(os.Getenv("PARLEY_FAILPOINT"), ":")
	n, _ := strconv.ParseInt(count, 10, 64)
	armed = name
	left.Store(n)
}

// Hit ends the process, as kill -9 would, at the armed point's nth hit.
func Hit(point string) {
	if point == armed && left.Add(-1) == 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // nothing happens after it
	}
}
