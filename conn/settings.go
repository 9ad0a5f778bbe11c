package conn

import "slices"

// apply makes the settings that a member still lacks. If one fails, apply releases the
// member.
func (p *pool) apply(m *member) (*member, error) {
	for {
		p.mu.Lock()
		missing := p.settings[m.applied:]
		p.mu.Unlock()
		if len(missing) == 0 {
			return m, nil
		}
		for _, set := range missing {
			if err := set(m.t); err != nil {
				p.release(m, !m.dirty)
				return nil, err
			}
			m.applied++
		}
	}
}

// configure makes a setting on a member, records it for the others, and releases the
// member.
func (p *pool) configure(m *member, set func(Transport) error) error {
	err := set(m.t)
	p.mu.Lock()
	if err == nil {
		p.settings = append(p.settings, set)
		if m.applied == len(p.settings)-1 {
			m.applied++ // otherwise apply repeats set, after the missing settings
		}
	}
	p.mu.Unlock()
	p.release(m, !m.dirty)
	return err
}

// copySettings returns the recorded settings.
func (p *pool) copySettings() []func(Transport) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.settings)
}
