package serving

// IndexEntry is one version of the repository and whether it can be called. The
// version is empty for a model that has none loaded.
type IndexEntry struct{ Name, Version, State, Reason string }

// The states of an IndexEntry, as Triton names them.
const (
	StateReady       = "READY"
	StateLoading     = "LOADING"
	StateUnavailable = "UNAVAILABLE"
)

// Index returns what the repository has, by model and version.
func (c *Catalog) Index() []IndexEntry {
	var all []IndexEntry
	seen := map[string]bool{}
	for _, m := range c.Models() {
		seen[m.Name] = true
		all = append(all, m.index()...)
	}
	c.loading.Range(func(name, _ any) bool {
		if !seen[name.(string)] {
			all = append(all, IndexEntry{Name: name.(string), State: StateLoading})
		}
		return true
	})
	if c.lost() {
		for i := range all {
			if all[i].State == StateReady {
				all[i].Reason = errNoModels.Error()
			}
		}
	}
	return all
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
