"""Off-policy evaluation of logged decisions: estimators and rejection replay; draws no outcomes."""
