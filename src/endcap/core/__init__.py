"""The nouns of the field as plain structs, the ports, and the errors. Imports nothing of endcap."""
