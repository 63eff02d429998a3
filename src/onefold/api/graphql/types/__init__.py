"""The types of the public schema. Every type, field, argument and enum value has a description."""
