package storagetest

import (
	"reflect"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// everyTable puts a row with every field set into each table of the state, wants
// it back from the batch, from the next one and from the disk, and deletes it. A
// table that a store does not declare, or whose keys or rows lose a field, fails.
func everyTable(b *bench) {
	each := func(do func(name string, table reflect.Value)) {
		b.batch(func(batch storage.Batch) {
			state := reflect.ValueOf(batch.State(1)).Elem()
			for i := range state.NumField() {
				name := state.Type().Field(i).Name
				switch table := state.Field(i); {
				case table.IsNil():
					b.Errorf("the store has no table %s", name)
				case name != "Outbox": // has a test of its own
					do(name, table)
				}
			}
		})
	}
	want := func(there bool) {
		b.Helper()
		each(func(name string, table reflect.Value) {
			key, row := filled(table)
			got := table.MethodByName("Get").Call([]reflect.Value{key})
			if got[1].Bool() != there || there && !reflect.DeepEqual(got[0].Interface(), row.Interface()) {
				b.Errorf("%s has %+v, %v, want %+v, %v", name, got[0], got[1], row, there)
			}
		})
	}
	change := func(how func(name string, table, key, row reflect.Value)) {
		each(func(name string, table reflect.Value) {
			key, row := filled(table)
			how(name, table, key, row)
		})
	}
	put := func(_ string, table, key, row reflect.Value) {
		table.MethodByName("Put").Call([]reflect.Value{key, row})
	}
	remove := func(name string, table, key, _ reflect.Value) {
		if name == "Dedupes" { // by their floor alone
			batch := table.Interface().(chat.Dedupes)
			batch.DropBelow(key.Interface().(chat.DedupeKey).Conversation, 0, 1<<40)
			return
		}
		table.MethodByName("Delete").Call([]reflect.Value{key})
	}
	want(false)
	change(put)
	want(true)
	b.reopen()
	want(true)
	change(remove)
	b.reopen()
	want(false)
	change(func(name string, table, key, row reflect.Value) { // within one batch
		put(name, table, key, row)
		remove(name, table, key, row)
	})
	b.reopen()
	want(false)
}

// filled gives a key and a row for a table, all of whose fields are set.
func filled(table reflect.Value) (key, row reflect.Value) {
	put := table.MethodByName("Put").Type()
	key, row = reflect.New(put.In(0)).Elem(), reflect.New(put.In(1)).Elem()
	fill(key)
	fill(row)
	return key, row
}

// fill sets every field to something that is not zero; numbers of times differ
// from others, and are the same everywhere.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int64:
		v.SetInt(5)
	default:
		v.SetUint(7)
	}
}
