package pending

import (
	"math"
	"testing"
)

func TestEachQuestionIsAnsweredOnceUnderItsOwnNumber(t *testing.T) {
	var table Table[string]
	a, b := table.Add("a"), table.Add("b")
	if a == 0 || b == 0 || a == b {
		t.Fatalf("the numbers are %d and %d", a, b)
	}
	if q, ok := table.Take(b); !ok || q != "b" {
		t.Errorf("%d was %q, %v", b, q, ok)
	}
	if q, ok := table.Take(b); ok {
		t.Errorf("%d is answered again, as %q", b, q)
	}
	if _, ok := table.Take(0); ok || table.Len() != 1 {
		t.Errorf("%d await an answer, want a alone", table.Len())
	}
}

func TestNumbersThatBeginAgainPassOverThoseInUse(t *testing.T) {
	table := Table[string]{of: map[uint32]string{1: "old", 2: "older"}, last: math.MaxUint32 - 1}
	if n := table.Add("x"); n != math.MaxUint32 {
		t.Errorf("the last number is %d", n)
	}
	if n := table.Add("y"); n != 3 {
		t.Errorf("after the last number comes %d, want 3: 0 is none, 1 and 2 are in use", n)
	}
}
