"""CRM: accounts, deals with stage history and line items, products, survey responses."""
