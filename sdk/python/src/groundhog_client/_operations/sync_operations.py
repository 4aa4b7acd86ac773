"""One synchronous method per operation of the service."""

from groundhog_client._operations import allocations, events, metrics, service, transfer
from groundhog_client._operations.analysis import delay, estimates, impact, posterior
from groundhog_client._operations.assignments import assignments, flags, splits, units
from groundhog_client._operations.experiments import experiments
from groundhog_client._operations.simulations import plans, simulations
from groundhog_client._protocol.operation_methods import sync_iterator, sync_method


class SyncOperations:
    """The methods of a client, named as the operations; each is documented where its request is described."""

    record_metrics = sync_method(metrics.record_metrics)
    record_metrics_in_bulk = sync_method(metrics.record_metrics_in_bulk)
    read_metrics = sync_method(metrics.read_metrics)
    each_daily_total = sync_iterator(metrics.read_metrics)
    delete_metrics = sync_method(metrics.delete_metrics)

    read_allocation = sync_method(allocations.read_allocation)
    read_allocation_history = sync_method(allocations.read_allocation_history)
    each_revision = sync_iterator(allocations.read_allocation_history)

    create_experiment = sync_method(experiments.create_experiment)
    list_experiments = sync_method(experiments.list_experiments)
    each_experiment = sync_iterator(experiments.list_experiments)
    read_experiment = sync_method(experiments.read_experiment)
    change_experiment = sync_method(experiments.change_experiment)
    delete_experiment = sync_method(experiments.delete_experiment)
    roll_out_variant = sync_method(experiments.roll_out_variant)
    undo_rollout = sync_method(experiments.undo_rollout)
    read_posterior = sync_method(posterior.read_posterior)
    read_delay = sync_method(delay.read_delay)
    add_variant = sync_method(experiments.add_variant)
    change_variant = sync_method(experiments.change_variant)
    delete_variant = sync_method(experiments.delete_variant)
    read_gain = sync_method(impact.read_gain)
    compare_with_control = sync_method(impact.compare_with_control)
    read_estimates = sync_method(estimates.read_estimates)
    export_experiment = sync_method(transfer.export_experiment)
    import_experiment = sync_method(transfer.import_experiment)

    plan_experiment = sync_method(plans.plan_experiment)
    simulate_email = sync_method(simulations.simulate_email)
    simulate_clv = sync_method(simulations.simulate_clv)
    simulate_replay = sync_method(simulations.simulate_replay)
    list_simulations = sync_method(simulations.list_simulations)
    each_simulation = sync_iterator(simulations.list_simulations)
    read_simulation = sync_method(simulations.read_simulation)
    cancel_simulation = sync_method(simulations.cancel_simulation)
    export_simulation = sync_method(simulations.export_simulation)

    assign = sync_method(assignments.assign)
    assign_many = sync_method(assignments.assign_many)
    read_split = sync_method(splits.read_split)
    read_assignment = sync_method(units.read_assignment)
    list_assignments = sync_method(units.list_assignments)
    each_assignment = sync_iterator(units.list_assignments)
    override_assignment = sync_method(units.override_assignment)
    merge_units = sync_method(units.merge_units)
    forget_unit = sync_method(units.forget_unit)

    evaluate_flag = sync_method(flags.evaluate_flag)
    evaluate_flags = sync_method(flags.evaluate_flags)

    record_events = sync_method(events.record_events)

    check_alive = sync_method(service.check_alive)
    check_ready = sync_method(service.check_ready)
    list_policies = sync_method(service.list_policies)
    read_prometheus_metrics = sync_method(service.read_prometheus_metrics)
