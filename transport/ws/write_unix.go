//go:build unix

package ws

import (
	"sync"
	"syscall"
)

// tryWrite writes what the kernel takes at once.
func (c *conn) tryWrite(buf []byte) (n int, err error) {
	if c.raw == nil {
		return 0, nil
	}
	a := attempts.Get().(*attempt)
	a.buf = buf
	rawErr := c.raw.Write(a.do)
	n, err = a.n, a.err
	a.buf, a.err = nil, nil
	attempts.Put(a)
	if err == syscall.EAGAIN || err == syscall.EINTR {
		return 0, nil
	}
	if err == nil {
		err = rawErr
	}
	return max(n, 0), err
}

// attempt is one write call. Its function is kept with it: one for each call
// would be a tenth of all that a busy node allocates.
type attempt struct {
	buf []byte
	n   int
	err error
	do  func(fd uintptr) bool
}

var attempts = sync.Pool{New: func() any {
	a := new(attempt)
	a.do = func(fd uintptr) bool {
		a.n, a.err = syscall.Write(int(fd), a.buf)
		return true
	}
	return a
}}
