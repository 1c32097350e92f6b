package ask

import (
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/methodpb"
)

// rate is what a user may ask of a class of methods on one node: so many a
// second, and so many at once after a pause.
type rate struct{ each, burst int }

// rates are far above what people do and what a client needs to catch up; they
// keep one login from making all of a node's work. A class without a row has no
// bound.
var rates = [...]rate{
	methodpb.Rate_RATE_SESSION: {20, 200},
	methodpb.Rate_RATE_SEND:    {2000, 4000},
	methodpb.Rate_RATE_READ:    {500, 2000},
	methodpb.Rate_RATE_MANAGE:  {50, 200},
}

// allowances say of each class when it is whole again, as time on the
// admission's clock: one number a token bucket.
type allowances [len(rates)]time.Duration

// spend takes one from a class, or says when there will be one.
func (a *allowances) spend(now time.Duration, class methodpb.Rate) error {
	r := rates[class]
	if r.each == 0 {
		return nil
	}
	one := time.Second / time.Duration(r.each)
	whole := max(a[class], now) + one
	if wait := whole - now - time.Duration(r.burst)*one; wait > 0 {
		return tooOften(wait)
	}
	a[class] = whole
	return nil
}

// whole says that nothing is missing of any class.
func (a *allowances) whole(now time.Duration) bool {
	for _, at := range a {
		if at > now {
			return false
		}
	}
	return true
}

func tooOften(wait time.Duration) error {
	err := chat.Errorf(chat.CodeBusy, "request", "this user asks too often; try again later")
	err.RetryAfter = wait
	return err
}
