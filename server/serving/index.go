package serving

import (
	"maps"
	"slices"
)

// IndexEntry is one version of the repository and whether it can be called. The
// version is empty for a model that has none loaded.
type IndexEntry struct{ Name, Version, State, Reason string }

// The states of an IndexEntry, as Triton names them.
const (
	StateReady       = "READY"
	StateLoading     = "LOADING"
	StateUnavailable = "UNAVAILABLE"
)

// Index returns what the repository has, by model and version. A version that is being
// loaded, for the first time or again, is LOADING unless one of its number serves.
func (c *Catalog) Index() []IndexEntry {
	loading := map[string]string{}
	c.loading.Range(func(name, version any) bool {
		loading[name.(string)] = version.(string)
		return true
	})
	var all []IndexEntry
	for _, m := range c.Models() {
		entries := m.index()
		if version, is := loading[m.Name]; is {
			entries = withLoading(entries, IndexEntry{Name: m.Name, Version: version, State: StateLoading})
			delete(loading, m.Name)
		}
		all = append(all, entries...)
	}
	for _, name := range slices.Sorted(maps.Keys(loading)) {
		all = append(all, IndexEntry{Name: name, Version: loading[name], State: StateLoading})
	}
	if c.lost() {
		for i := range all {
			if all[i].State == StateReady {
				all[i].Reason = errNoModels.Error()
			}
		}
	}
	return all
}

// withLoading returns a model's entries with that of the version that is being loaded.
func withLoading(entries []IndexEntry, loading IndexEntry) []IndexEntry {
	of := func(e IndexEntry) bool { return e.Version == loading.Version || e.Version == "" }
	if slices.ContainsFunc(entries, func(e IndexEntry) bool { return e.State == StateReady && (of(e) || loading.Version == "") }) {
		return entries
	}
	return append(slices.DeleteFunc(entries, of), loading)
}

func (m *Model) index() []IndexEntry {
	var all []IndexEntry
	for _, v := range m.Versions {
		all = append(all, IndexEntry{Name: m.Name, Version: v.Number, State: StateReady, Reason: v.mark.Deaths()})
	}
	for _, f := range m.failures {
		all = append(all, IndexEntry{Name: m.Name, Version: f.number, State: StateUnavailable, Reason: f.err.Error()})
	}
	if len(all) == 0 {
		all = append(all, IndexEntry{Name: m.Name, State: StateUnavailable, Reason: "unloaded"})
	}
	return all
}
