"""The values everything else speaks in: identifiers, namespaces, events, evidence, customers. No I/O, no decisions."""
