package fair

import (
	"slices"
	"testing"
)

func TestALineGivesItsPlacesInOrder(t *testing.T) {
	l := NewLine(2)
	var got []int
	var places []*Place
	for i := range 6 {
		places = append(places, l.Enter(func() { got = append(got, i) }))
	}
	if !slices.Equal(got, []int{0, 1}) {
		t.Fatalf("%v have places, want the first two", got)
	}
	places[2].Leave() // waits no more
	places[0].Leave()
	places[0].Leave()
	if !slices.Equal(got, []int{0, 1, 3}) {
		t.Errorf("%v had places, want one more, and not who has left", got)
	}
	places[3].Leave()
	places[1].Leave()
	if !slices.Equal(got, []int{0, 1, 3, 4, 5}) {
		t.Errorf("%v had places", got)
	}
	(*Place)(nil).Leave()
}
