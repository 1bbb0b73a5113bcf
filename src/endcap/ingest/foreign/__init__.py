"""Events and products in the forms that other systems send them, mapped to ours."""
