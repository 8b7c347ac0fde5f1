"""The paper, claim by claim: what a study says of each, and the intervals it rests on."""
