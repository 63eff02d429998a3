// Saved segments, their members, and the log of who entered and left. A segment may have very many members, so they are
// found by these, never by way of the nodes at their ends. Who is a member of what is asked by the anchor.
CREATE CONSTRAINT segment_number IF NOT EXISTS FOR (s:Segment) REQUIRE s.number IS UNIQUE;
CREATE CONSTRAINT segment_id IF NOT EXISTS FOR (s:Segment) REQUIRE s.id IS UNIQUE;
CREATE CONSTRAINT member_pair IF NOT EXISTS FOR ()-[m:MEMBER_OF]-() REQUIRE m.pair IS UNIQUE;
CREATE INDEX member_anchor IF NOT EXISTS FOR ()-[m:MEMBER_OF]-() ON (m.anchor);
CREATE CONSTRAINT membership_number IF NOT EXISTS FOR (l:MembershipChange) REQUIRE l.number IS UNIQUE;
CREATE INDEX membership_segment IF NOT EXISTS FOR (l:MembershipChange) ON (l.segment, l.number);

// What one process at a time may do.
CREATE CONSTRAINT lease_name IF NOT EXISTS FOR (l:Lease) REQUIRE l.name IS UNIQUE;
