"""The configuration: read strictly, merged, checked whole and refused in one line a fault."""
