"""HR: employees, departments, who worked where when, leave, engagement responses."""
